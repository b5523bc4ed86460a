import { spawn } from 'node:child_process';
import { request } from 'node:http';

export interface CommandResult {
  code: number;
  stdout: string;
  stderr: string;
}

export interface CommandOptions {
  input?: string | Buffer;
  /** Milliseconds after which the command is killed and counts as failed. */
  timeout?: number;
}

export interface ApiReply {
  status: number;
  headers: Record<string, string | string[] | undefined>;
  text: string;
  /** The body as JSON; throws when it is none. */
  json<T = Record<string, unknown>>(): T;
}

/** An engine under test: Gantry, or the dockerd it is measured against. A scenario is a function of one. */
export interface Target {
  readonly name: 'gantry' | 'dockerd';
  readonly socket: string;
  /** Runs the official command line against it. */
  docker(args: readonly string[], options?: CommandOptions): Promise<CommandResult>;
  /** One plain API call. */
  api(method: string, path: string, body?: unknown): Promise<ApiReply>;
}

/** Runs a program to its end; a program that must be killed after `timeout` has code -1. */
export async function command(
  program: string,
  args: readonly string[],
  { input, timeout = 60_000 }: CommandOptions = {},
  env: NodeJS.ProcessEnv = process.env,
): Promise<CommandResult> {
  const { promise, resolve, reject } = Promise.withResolvers<CommandResult>();
  const child = spawn(program, args, { stdio: 'pipe', timeout, killSignal: 'SIGKILL', env });
  const out: Buffer[] = [];
  const err: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => out.push(chunk));
  child.stderr.on('data', (chunk: Buffer) => err.push(chunk));
  child.stdin.on('error', () => {});
  child.stdin.end(input ?? '');
  child.on('error', reject);
  child.on('close', (code) =>
    resolve({ code: code ?? -1, stdout: Buffer.concat(out).toString(), stderr: Buffer.concat(err).toString() }),
  );
  return promise;
}

/** The calls of a target, given where it listens. */
export function openTarget(name: Target['name'], socket: string): Target {
  return {
    name,
    socket,
    docker: (args, options) => command('docker', ['-H', `unix://${socket}`, ...args], options),
    api: (method, path, body) => call(socket, method, path, body),
  };
}

async function call(socketPath: string, method: string, path: string, body: unknown): Promise<ApiReply> {
  const { promise, resolve, reject } = Promise.withResolvers<ApiReply>();
  const payload = body === undefined ? undefined : JSON.stringify(body);
  const headers =
    payload === undefined ? {} : { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(payload) };
  const sent = request({ socketPath, method, path, headers }, (response) => {
    const chunks: Buffer[] = [];
    response.on('data', (chunk: Buffer) => chunks.push(chunk));
    response.on('error', reject);
    response.on('end', () => {
      const text = Buffer.concat(chunks).toString();
      resolve({ status: response.statusCode ?? 0, headers: response.headers, text, json: () => JSON.parse(text) });
    });
  });
  sent.on('error', reject);
  sent.end(payload);
  return promise;
}
