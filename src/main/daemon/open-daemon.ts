import { access, constants, mkdir, realpath } from 'node:fs/promises';
import { dirname } from 'node:path';
import { type ApiServer, createApi } from '../../api/server.ts';
import { hasCode, messageOf, unavailable } from '../../util/errors.ts';
import type { Log } from '../../util/log.ts';
import { VERSION } from '../version.ts';
import { type DaemonConfig, socketPath, waitingForRestart } from './config.ts';
import { openEngine } from './open-engine.ts';
import { claimPidfile } from './pidfile.ts';
import { socketGroup } from './socket-group.ts';

/** A running daemon. Disposing of it stops the API first, then lets go of everything but what running containers need. */
export interface Daemon extends AsyncDisposable {
  /** Takes over the settings that can change while it runs, and says in the log which others wait for the next start. */
  reloaded(config: DaemonConfig): void;
  /** Ends the containers, which else outlive it: for a host that goes down. */
  endContainers(): Promise<void>;
}

/** Opens the engine, recovers what an earlier daemon left, and listens. On a throw nothing stays open. */
export async function openDaemon(given: DaemonConfig, log: Log): Promise<Daemon> {
  await using stack = new AsyncDisposableStack();
  const gid = await socketGroup(given.group);
  const [dataRoot, execRoot] = [await openRoot(given.dataRoot), await openRoot(given.execRoot)];
  const config = { ...given, dataRoot, execRoot };
  stack.use(claimPidfile(config.pidfile));
  const engine = stack.use(await openEngine(config, log));
  const api = stack.use(createApi({ engine, log, version: { version: VERSION } }));
  for (const host of config.hosts) await listen(api, host, gid);
  stack.use(engine.startByPolicy());
  log.info('the engine is ready', { hosts: config.hosts, dataRoot: config.dataRoot });
  const open = stack.move();
  return {
    reloaded: (again) => {
      engine.reloaded(again);
      const settings = waitingForRestart(given, again);
      if (settings.length > 0) log.warn('changed settings that wait for the next start', { settings });
    },
    endContainers: () => engine.endContainers(),
    [Symbol.asyncDispose]: () => open.disposeAsync(),
  };
}

/** Makes a root and gives its path without links, which is how the kernel tells what is mounted in it. @throws `unavailable`. */
async function openRoot(path: string): Promise<string> {
  await mkdir(path, { recursive: true, mode: 0o711 });
  await checkWritable(path);
  return await realpath(path);
}

/** @throws `unavailable` when nothing can be made in a directory. */
async function checkWritable(root: string): Promise<void> {
  try {
    await access(root, constants.W_OK);
  } catch (error) {
    const why = hasCode(error, 'EROFS') ? 'read-only file system' : messageOf(error);
    throw unavailable(`${root} cannot be written to: ${why}`, error);
  }
}

async function listen(api: ApiServer, host: string, gid: number): Promise<void> {
  const path = socketPath(host);
  await mkdir(dirname(path), { recursive: true, mode: 0o755 });
  await api.listen({ path, gid });
}
