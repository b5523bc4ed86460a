import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { hasCode, internal, unavailable } from './errors.ts';

export interface RunOptions {
  cwd?: string;
  env?: NodeJS.ProcessEnv;
  /** Written to the command's standard input, which is then closed. */
  input?: string | Uint8Array;
  signal?: AbortSignal;
  /** Give the result of a non-zero exit instead of throwing. */
  allowFailure?: boolean;
}

export interface RunResult {
  /** Exit status; 128 + n when signal n ended it is not computed here: -1 stands for any signal. */
  code: number;
  stdout: string;
  stderr: string;
}

/**
 * Runs a host tool to its end and collects what it prints.
 *
 * @throws `unavailable` naming the tool when it is not installed; `internal` with its own words when it fails.
 */
export async function run(command: string, args: readonly string[], options: RunOptions = {}): Promise<RunResult> {
  const { promise, resolve, reject } = Promise.withResolvers<RunResult>();
  const child = spawn(command, args, {
    stdio: ['pipe', 'pipe', 'pipe'],
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    ...(options.env === undefined ? {} : { env: options.env }),
    ...(options.signal === undefined ? {} : { signal: options.signal }),
  });
  const out: Buffer[] = [];
  const err: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => out.push(chunk));
  child.stderr.on('data', (chunk: Buffer) => err.push(chunk));
  child.on('error', (error) => reject(spawnError(command, error, options.cwd)));
  child.on('close', (code) => {
    const result = {
      code: code ?? -1,
      stdout: Buffer.concat(out).toString(),
      stderr: Buffer.concat(err).toString(),
    };
    if (result.code === 0 || options.allowFailure === true) resolve(result);
    else reject(internal(`${command} ${args.join(' ')}: ${result.stderr.trim() || `exit status ${result.code}`}`));
  });
  // A command that does not read its input closes the pipe; its exit status tells the story.
  child.stdin.on('error', () => {});
  child.stdin.end(options.input ?? '');
  return promise;
}

/** What to say of a command that could not be started: `unavailable`, naming it, when it is not installed. */
export function spawnError(command: string, error: Error, cwd?: string): Error {
  // A working directory that is not there gives the same code.
  const missing = hasCode(error, 'ENOENT') && (cwd === undefined || existsSync(cwd));
  return missing ? unavailable(`the host tool "${command}" is not installed`, error) : error;
}
