import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { command } from './target.ts';

/** What a person's shell asks with, in the terminal on the host. */
export const PROMPT = 'host>';

/** A real terminal with a shell of the host in it, as a person has one. */
export interface Terminal extends AsyncDisposable {
  /** Types a line and presses Enter. */
  type(line: string): Promise<void>;
  /** Presses a key by tmux's name for it, such as `C-c`. */
  press(...keys: string[]): Promise<void>;
  /** Without blanks at the ends of lines. */
  screen(): Promise<string>;
  /** Waits until the screen shows it. @throws with the screen after fifteen seconds. */
  see(what: RegExp): Promise<void>;
  /** Waits until the screen has not changed for a while; busybox's shell asks where the cursor is and eats keys pressed meanwhile. */
  settled(): Promise<void>;
  resize(size: { width: number; height: number }): Promise<void>;
  /** How the terminal is set, as `stty -g` tells; typed at the shell's prompt. */
  settings(): Promise<string>;
}

/** Opens a terminal in a tmux server of its own. */
export async function openTerminal(size: { width: number; height: number }): Promise<Terminal> {
  await using undo = new AsyncDisposableStack();
  const dir = await mkdtemp(join(tmpdir(), 'gantry-tmux-'));
  undo.defer(() => rm(dir, { recursive: true }));
  const tmux = async (...args: string[]): Promise<string> => {
    const { code, stdout, stderr } = await command('tmux', ['-f', '/dev/null', '-S', join(dir, 'socket'), ...args]);
    assert.equal(code, 0, stderr);
    return stdout;
  };
  const shell = ['env', `PS1=${PROMPT} `, 'TERM=screen', 'sh'];
  await tmux(
    'new-session',
    '-d',
    '-x',
    String(size.width),
    '-y',
    String(size.height),
    ...shell,
    ';',
    'set',
    'status',
    'off',
  );
  undo.defer(async () => void (await tmux('kill-server')));
  let asked = 0;
  const terminal: Terminal = {
    type: async (line) => {
      await tmux('send-keys', '-l', '--', line);
      await tmux('send-keys', 'Enter');
    },
    press: async (...keys) => void (await tmux('send-keys', ...keys)),
    screen: () => tmux('capture-pane', '-p'),
    see: async (what) => {
      let screen = '';
      for (const deadline = Date.now() + 15_000; Date.now() < deadline; await sleep(30)) {
        screen = await terminal.screen();
        if (what.test(screen)) return;
      }
      assert.fail(`${what} is not to be seen on:\n${screen}`);
    },
    settled: async () => {
      let before = '';
      for (let now = await terminal.screen(); now !== before; now = await terminal.screen()) {
        before = now;
        await sleep(200);
      }
    },
    resize: async ({ width, height }) => void (await tmux('resize-window', '-x', String(width), '-y', String(height))),
    settings: async () => {
      asked += 1;
      const file = join(dir, `settings-${asked}`);
      await terminal.type(`stty -g >${file}; clear; echo asked ${asked}`);
      await terminal.see(new RegExp(`^asked ${asked}$`, 'mu'));
      return readFile(file, 'utf8');
    },
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
  await terminal.resize(size);
  await terminal.see(new RegExp(`^${PROMPT}`, 'mu'));
  const stack = undo.move();
  return terminal;
}
