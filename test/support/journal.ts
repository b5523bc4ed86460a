import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { eventually } from './containers.ts';
import { command } from './target.ts';

const DAEMON = '/lib/systemd/systemd-journald';
const SOCKET = '/run/systemd/journal/socket';
/** What the daemon makes, where nobody had a journal before. */
const MADE = ['/run/systemd/journal', '/run/log/journal'];

/** A field of an entry: text, its bytes when it is no text, or all of several. */
export type JournalEntry = Readonly<Record<string, string | number[] | undefined>>;

/** A real journal of this host. */
export interface Journal extends AsyncDisposable {
  /** The entries with this field, oldest first. */
  entries(name: string, value: string): Promise<JournalEntry[]>;
}

/** The journal of this host; where it has none, one that lives until it is disposed of. */
export async function startJournal(): Promise<Journal> {
  await using undo = new AsyncDisposableStack();
  if (!listening()) {
    for (const path of MADE.filter((it) => !existsSync(it)))
      undo.defer(() => rm(path, { recursive: true, force: true }));
    const daemon = spawn(DAEMON, { stdio: 'ignore' });
    undo.defer(async () => {
      if (daemon.exitCode !== null) return;
      const ended = once(daemon, 'exit');
      daemon.kill();
      await ended;
    });
    await eventually('the journal listens', listening);
  }
  const stack = undo.move();
  return {
    entries: async (name, value) => {
      const { stdout } = await command('journalctl', ['--no-pager', '--all', '-o', 'json', `${name}=${value}`]);
      return stdout
        .split('\n')
        .filter((line) => line.startsWith('{'))
        .map((line) => JSON.parse(line) as JournalEntry);
    },
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

const listening = (): boolean => readFileSync('/proc/net/unix', 'utf8').includes(` ${SOCKET}\n`);
