import { randomBytes } from 'node:crypto';
import { constants, openSync } from 'node:fs';
import { mkdir, readdir, readFile, rmdir, unlink, writeFile } from 'node:fs/promises';
import { Socket } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { endsWithin } from '../../util/ends-within.ts';
import { internal, messageOf, unavailable } from '../../util/errors.ts';
import { ifExists } from '../../util/files.ts';
import type { Log } from '../../util/log.ts';
import { run } from '../../util/spawn.ts';
import { endProcesses } from '../processes.ts';
import { type ShimCall, shimCalls } from './shim-calls.ts';
import { connectTtrpc } from './ttrpc-client.ts';

const SHIM_BINARY = 'containerd-shim-runc-v2';
const ADDRESS_FILE = 'address.json';
/** What shims before containerd 2.0 serve, which print no version. */
const OLD_TASK_API = 2;

/** An answer takes it a millisecond. One that is slow, on a busy host, must not cost containers their lives. */
const ANSWER_MS = 30_000;

/** Where a running shim listens, and the version of the task API it serves. */
export interface ShimAddress {
  address: string;
  version: number;
}

/** One connected shim. Disposing ends the connection, never the shim. */
export interface Shim extends Disposable {
  readonly address: string;
  readonly call: ShimCall;
  /** Ids of the containers we know it to hold. */
  readonly tasks: Set<string>;
  /** Creates under way: the shim does them one after another. */
  creating: number;
  /** Resolves when the connection is gone, which means the shim is. */
  readonly gone: Promise<void>;
  /** Resolves when its files are gone too. */
  readonly cleared: Promise<void>;
  forget(id: string): void;
}

export interface ShimHome {
  /** Directory of all shims' directories. */
  dir: string;
  /** Socket the shims send their events to. */
  eventSocket: string;
  namespace: string;
  log: Log;
  /** Milliseconds that a shim of an earlier daemon has to answer before it is ended; half a minute if not said. */
  patience?: number;
}

/** Starts a shim that holds no container yet. @throws `unavailable` when it is not installed, `internal` when it fails. */
export async function startShim(home: ShimHome): Promise<Shim> {
  const id = randomBytes(8).toString('hex');
  const dir = join(home.dir, id);
  await mkdir(dir, { mode: 0o700 });
  try {
    // The shim reads its bundle's annotations; ours has none.
    await Promise.all([writeFile(join(dir, 'config.json'), '{}'), run('mkfifo', ['-m', '600', join(dir, 'log')])]);
    const log = openShimLog(dir, home.log);
    try {
      const found = await spawnShim(home, id, dir);
      await writeFile(join(dir, ADDRESS_FILE), JSON.stringify(found));
      return await attach(found, dir, log);
    } catch (error) {
      log.destroy();
      throw error;
    }
  } catch (error) {
    await removeShimDir(dir);
    throw error;
  }
}

async function spawnShim({ namespace, eventSocket }: ShimHome, id: string, cwd: string): Promise<ShimAddress> {
  const args = ['-namespace', namespace, '-address', eventSocket, '-publish-binary', '/bin/true', '-id', id, 'start'];
  const env = { PATH: process.env['PATH'], TTRPC_ADDRESS: eventSocket, GOMAXPROCS: '2' };
  const { stdout } = await run(SHIM_BINARY, args, { cwd, env });
  return parseShimAddress(stdout);
}

/** Reads what `start` printed: a bare address, or the JSON of newer shims. @throws `internal` for anything else. */
export function parseShimAddress(output: string): ShimAddress {
  const text = output.trim();
  if (/^unix:\/\/\S+$/.test(text)) return { address: text, version: OLD_TASK_API };
  const parsed = text.startsWith('{') ? (JSON.parse(text) as Partial<Record<string, unknown>>) : {};
  const { address, version, protocol } = parsed;
  if (typeof address !== 'string' || typeof version !== 'number' || (protocol ?? 'ttrpc') !== 'ttrpc') {
    throw internal(`${SHIM_BINARY} printed no address we understand: ${text.slice(0, 200)}`);
  }
  return { address, version };
}

/** Connects to the shims an earlier daemon left, and removes the traces of those that are gone. */
export async function findShims(home: ShimHome): Promise<Shim[]> {
  const found = await Promise.all((await readdir(home.dir)).map((name) => findShim(home, name)));
  return found.filter((shim) => shim !== undefined);
}

async function findShim(home: ShimHome, id: string): Promise<Shim | undefined> {
  const dir = join(home.dir, id);
  const known = await readAddress(dir);
  const shim = known === undefined ? undefined : await reconnect(known, dir, home);
  if (shim !== undefined) return shim;
  await endShim(home, id);
  await removeShimDir(dir, (known ?? (await readAddress(dir)))?.address);
  return undefined;
}

/**
 * Undefined for a shim that is gone, of which a daemon may have removed some files before it was killed, and for one that does not
 * answer: whoever has such a shim can neither follow nor end what it holds.
 */
async function reconnect(known: ShimAddress, dir: string, { log, patience }: ShimHome): Promise<Shim | undefined> {
  using undo = new DisposableStack();
  try {
    const reader = undo.adopt(openShimLog(dir, log), (it) => it.destroy());
    const shim = undo.use(await attach(known, dir, reader));
    // It answers for a container that it does not hold, too.
    const answer = shim.call('Connect', { id: '' });
    if (!(await endsWithin(answer, patience ?? ANSWER_MS))) throw unavailable('it does not answer');
    undo.move();
    return shim;
  } catch (error) {
    log.warn('a shim of an earlier daemon is gone', { shim: known.address, error: messageOf(error) });
    return undefined;
  }
}

/** Ends a shim we cannot speak to: mostly one that the daemon was killed over while it was starting it. */
async function endShim({ eventSocket }: ShimHome, id: string): Promise<void> {
  await endProcesses(({ args }) => args.includes(eventSocket) && args.includes(id));
}

/**
 * Our own note, or the one the shim wrote itself in case the daemon was killed just before writing ours, or in the middle
 * of it.
 */
async function readAddress(dir: string): Promise<ShimAddress | undefined> {
  for (const name of [ADDRESS_FILE, 'address']) {
    const text = await ifExists(() => readFile(join(dir, name), 'utf8'));
    const address = text === undefined ? undefined : ifUnderstood(text);
    if (address !== undefined) return address;
  }
  return undefined;
}

function ifUnderstood(text: string): ShimAddress | undefined {
  try {
    return parseShimAddress(text);
  } catch {
    return undefined;
  }
}

async function attach({ address, version }: ShimAddress, dir: string, log: Socket): Promise<Shim> {
  const client = await connectTtrpc(address.replace(/^unix:\/\//, ''));
  const tasks = new Set<string>();
  let disposed = false;
  const ended = async () => {
    log.destroy();
    if (!disposed) await removeShimDir(dir, address);
  };
  return {
    address,
    call: shimCalls(client, version),
    tasks,
    creating: 0,
    gone: client.closed,
    cleared: client.closed.then(ended),
    forget: (id) => tasks.delete(id),
    [Symbol.dispose]() {
      disposed = true;
      client[Symbol.dispose]();
    },
  };
}

/** Reads what the shim logs. Opened for writing too, so that it never ends and the shim never waits for a reader. */
function openShimLog(dir: string, log: Log): Socket {
  const fd = openSync(join(dir, 'log'), constants.O_RDWR | constants.O_NONBLOCK);
  const socket = new Socket({ fd, readable: true, writable: false });
  socket.on('error', (error) => log.debug('the log of a shim broke off', { dir, error }));
  createInterface({ input: socket }).on('line', (line) => log.debug('shim', { dir, line }));
  return socket;
}

/** Removes what a shim leaves: its directory, and its socket when it was killed. */
async function removeShimDir(dir: string, address?: string): Promise<void> {
  const socket = address?.replace(/^unix:\/\//, '');
  if (socket !== undefined) await ifExists(() => unlink(socket));
  for (const name of (await ifExists(() => readdir(dir))) ?? []) await ifExists(() => unlink(join(dir, name)));
  await ifExists(() => rmdir(dir));
}
