import { spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { dirname } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

import { forbidden, unavailable } from '../util/errors.ts';
import { ensureDirSync } from '../util/files.ts';

export interface EnsureOptions {
  /** The engine's socket; its log goes into `engine.log` beside it. */
  socket: string;
  /** Program and arguments that run the engine. Default: this program with `daemon`. */
  command?: readonly [string, ...string[]];
  /** Milliseconds until a silent engine counts as failed. */
  timeout?: number;
}

/** Starts the engine unless its socket answers already. @throws `forbidden` when not root, `unavailable` with the engine's last words. */
export async function ensureEngine({ socket, command = ownDaemon(), timeout = 20_000 }: EnsureOptions): Promise<void> {
  if (await answers(socket)) return;
  if (process.getuid?.() !== 0) {
    throw forbidden(
      `the engine is not running and only root may start it: run this as root, or start "${process.argv0} daemon" as root`,
    );
  }
  ensureDirSync(dirname(socket), 0o755);
  const log = `${dirname(socket)}/engine.log`;
  const failed = launch(command, log);
  const deadline = Date.now() + timeout;
  while (!(await answers(socket))) {
    if (failed.code !== undefined || Date.now() > deadline) {
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

function answers(socket: string): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const connection = connect(socket);
  connection.on('connect', () => {
    connection.destroy();
    resolve(true);
  });
  connection.on('error', () => resolve(false));
  return promise;
}

/** Starts it in a session of its own, so that the terminal's signals do not reach it. */
function launch([program, ...words]: readonly [string, ...string[]], log: string): { code: string | undefined } {
  const state: { code: string | undefined } = { code: undefined };
  const fd = openSync(log, 'w', 0o600);
  try {
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
