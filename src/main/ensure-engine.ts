import { spawn } from 'node:child_process';
import { closeSync, constants, existsSync, fstatSync, ftruncateSync, openSync, readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

import { forbidden, hasCode, unavailable } from '../util/errors.ts';
import { ensureDirSync } from '../util/files.ts';

/** The log starts anew when an engine is started and it is larger than this. */
const LOG_BYTES = 1 << 20;

export interface EnsureOptions {
  /** The engine's socket; its log goes into `engine.log` beside it. */
  socket: string;
  /** Program and arguments that run the engine. Default: this program with `daemon`. */
  command?: readonly [string, ...string[]];
  /** Starts the engine as a service of the host, where that is how it is run; false where it is not. */
  startService?: () => Promise<boolean>;
  /** Milliseconds until a silent engine counts as failed. */
  timeout?: number;
}

/**
 * Starts the engine unless its socket answers already: as the service that it is installed as, or else as a process of its own.
 *
 * @throws `forbidden` when not root, `unavailable` with the engine's last words, or systemd's.
 */
export async function ensureEngine(options: EnsureOptions): Promise<void> {
  const { socket, command = ownDaemon(), startService = async () => false, timeout = 20_000 } = options;
  if (await answers(socket)) return;
  if (process.getuid?.() !== 0) {
    throw forbidden(
      'the engine is not running and only root may start it: run this as root, or start "gantry daemon" as root',
    );
  }
  if (await startService()) return;
  ensureDirSync(dirname(socket), 0o755);
  const log = `${dirname(socket)}/engine.log`;
  const failed = launch(command, log);
  const deadline = performance.now() + timeout;
  while (!(await answers(socket))) {
    if ((failed.code !== undefined && !anotherStarts(socket)) || performance.now() > deadline) {
      const why =
        failed.code === undefined
          ? `did not answer within ${timeout / 1000} seconds`
          : `ended with status ${failed.code}`;
      throw unavailable(`the engine ${why}: ${lastWords(log)}\n(its log is ${log})`);
    }
    await delay(10);
  }
}

function ownDaemon(): [string, ...string[]] {
  return [process.execPath, ...process.execArgv, '--', process.argv[1] ?? '', 'daemon'];
}

/** What starts this program anew, also after an update: the script of its checkout, or else this very Node. */
export function programCommand(): string[] {
  const program = process.argv[1] ?? '';
  const script = join(dirname(dirname(program)), 'gantry');
  return existsSync(script) ? [script] : [process.execPath, ...process.execArgv, '--', program];
}

/** A socket that this user may not use has an engine behind it: what connects next says so. */
export function answers(socket: string): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const connection = connect(socket);
  connection.on('connect', () => {
    connection.destroy();
    resolve(true);
  });
  connection.on('error', (error) => resolve(hasCode(error, 'EACCES')));
  return promise;
}

/** Of two commands that start the engine at once one loses; the engine of the other is as good. */
function anotherStarts(socket: string): boolean {
  try {
    process.kill(Number(readFileSync(`${dirname(socket)}/gantry.pid`, 'utf8')), 0);
    return true;
  } catch {
    return false;
  }
}

/** Starts it in a session of its own, so that the terminal's signals do not reach it. */
function launch([program, ...words]: readonly [string, ...string[]], log: string): { code: string | undefined } {
  const state: { code: string | undefined } = { code: undefined };
  const fd = openSync(log, constants.O_WRONLY | constants.O_CREAT | constants.O_APPEND, 0o600);
  try {
    if (fstatSync(fd).size > LOG_BYTES) ftruncateSync(fd);
    const child = spawn(program, words, { detached: true, stdio: ['ignore', fd, fd], cwd: '/' });
    child.on('error', (error) => {
      state.code = error.message;
    });
    child.on('exit', (code, signal) => {
      state.code = String(code ?? signal);
    });
    child.unref();
  } finally {
    closeSync(fd);
  }
  return state;
}

/** The message of the log's last line, which is JSON unless the engine fell before it had a log. */
function lastWords(log: string): string {
  const line = readFileSync(log, 'utf8').trim().split('\n').at(-1) ?? '';
  try {
    const { msg, error } = JSON.parse(line) as { msg?: string; error?: string };
    return [msg, error?.split('\n')[0]].filter(Boolean).join(': ') || line;
  } catch {
    return line;
  }
}
