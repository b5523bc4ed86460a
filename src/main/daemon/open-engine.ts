import { mkdir } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { openContainers } from '../../engine/containers/containers.ts';
import { endAll } from '../../engine/containers/end-all.ts';
import { hearOom } from '../../engine/containers/oom.ts';
import type { Parts } from '../../engine/containers/parts.ts';
import { recoverContainers } from '../../engine/containers/recover.ts';
import { Registry } from '../../engine/containers/registry.ts';
import { openRestarts, resumeRestarts } from '../../engine/containers/restart-by-policy.ts';
import type { Engine } from '../../engine/engine.ts';
import { openEvents } from '../../engine/events/events.ts';
import { openExecs } from '../../engine/execs/execs.ts';
import { openContainerFiles } from '../../engine/files/container-files.ts';
import { openVolumeFiles } from '../../engine/files/volume-files.ts';
import { openHealthMonitors } from '../../engine/health/health-monitors.ts';
import { openDistribution } from '../../engine/images/distribution.ts';
import { type EngineImages, openImages } from '../../engine/images/images.ts';
import { LastMessages } from '../../engine/logs/last-messages.ts';
import { openNetworkStack } from '../../engine/networks/networks.ts';
import { type OpenSystem, openSystem } from '../../engine/system/system.ts';
import { openVolumes } from '../../engine/volumes/volumes.ts';
import { openGroupMoves } from '../../kernel/cgroups/group-moves.ts';
import { chooseRuntime, type Runtimes } from '../../kernel/host/choose-runtime.ts';
import type { HostFacts } from '../../kernel/host/host-facts.ts';
import { reapOrphan } from '../../kernel/reap-orphan.ts';
import { openShimPool, type ShimPool } from '../../kernel/shim/shim-pool.ts';
import { openIoPool } from '../../kernel/stdio/io-pool.ts';
import { openRemote, type Remote } from '../../remote/remote.ts';
import { openStore, type Store } from '../../store/store.ts';
import { randomId } from '../../util/id.ts';
import { KeyedLock } from '../../util/keyed-lock.ts';
import type { Log } from '../../util/log.ts';
import { VERSION } from '../version.ts';
import { type DaemonConfig, socketPath } from './config.ts';
import { containerDefaults } from './container-defaults.ts';
import { engineUserns } from './engine-userns.ts';
import { readyHost } from './ready-host.ts';
import { standingOn } from './standing-on.ts';

/** The shims' and runtimes' name for what is ours. */
const NAMESPACE = 'gantry';
/** So many share the containers. */
const SHIMS = availableParallelism();
/** Network namespaces kept ready: a burst of this many starts waits for none. */
const READY_NAMESPACES = 16;

export interface OpenEngine extends Engine, AsyncDisposable {
  reloaded(config: DaemonConfig): void;
  /** Starts what policies want up, now and whenever something ends, until it is disposed of. To be held while the API listens. */
  startByPolicy(): Disposable;
  endContainers(): Promise<void>;
}

function engineShims(execRoot: string, log: Log, parts: () => Parts): Promise<ShimPool> {
  const onOom = (id: string) => void hearOom(parts(), id);
  return openShimPool({ execRoot, namespace: NAMESPACE, size: SHIMS, log, onOom });
}

/** Builds the engine from its parts, lowest first, and brings it in line with what an earlier daemon left running. */
export async function openEngine(config: DaemonConfig, log: Log): Promise<OpenEngine> {
  await using stack = new AsyncDisposableStack();
  const { execRoot, dataRoot } = config;
  const paths = await runningPaths(execRoot);
  const [host, store] = await Promise.all([readyHost(config, log), openStore({ dataRoot, log })]);
  stack.use(store);
  const id = engineId(store);
  const registry = new Registry();
  const events = openEvents();
  let current = config;
  const remote = openRemote(() => current.registries);
  const images = await engineImages(config, { store, events, remote, log }, registry, paths.bundles);
  const runtimes = await engineRuntimes(config);
  const userns = await engineUserns(config, store.dirs, log);
  let recovered = false;
  // A start that fails takes along what it made of the host, unless containers may be in it.
  const givesUp = () => !recovered && store.containers.all().length === 0;
  stack.defer(async () => {
    if (givesUp()) await userns?.remove();
  });
  const networks = stack.use(await engineNetworks(config, { engineId: id, db: store.db, userns: userns?.path, log }));
  const users = (name: string) => registry.mounting(name);
  const volumes = await openVolumes({ rows: store.volumes, dir: store.dirs.volumes, events, users, log });
  stack.defer(async () => {
    if (givesUp()) await networks.destroy();
  });
  const io = stack.use(await openIoPool({ execRoot, log }));
  const shims = stack.use(await engineShims(execRoot, log, () => parts));
  const leaving = new AbortController();
  const restarts = stack.use(openRestarts(() => parts));
  const health = stack.use(openHealthMonitors(() => parts));
  const parts: Parts = {
    registry,
    rows: store.containers,
    images,
    networks,
    volumes,
    shims,
    io,
    moves: openGroupMoves(host.cgroup),
    events,
    restarts,
    health,
    locks: new KeyedLock(),
    host,
    userns,
    runtimes: runtimes.byName,
    features: runtimes,
    reap: reaper(paths.bundles, runtimes, host),
    leaving: leaving.signal,
    defaults: containerDefaults(config, runtimes),
    cdiSpecDirs: config.cdiSpecDirs,
    sockets: config.hosts.map(socketPath),
    paths: enginePaths(paths, store),
    lastMessages: new LastMessages(),
    log,
  };
  const execs = openExecs(parts);
  stack.defer(async () => {
    if (recovered) await leaveNothingIdle(parts);
  });
  // A recovery that fails has begun restarts and health checks, too.
  stack.defer(() => leave(parts, leaving));
  await recoverContainers(parts, execs);
  recovered = true;
  await images.releaseUnused();
  const loggingDriver = parts.defaults.logConfig.Type;
  const system = openSystem({ id, version: VERSION, config, loggingDriver, host, runtimes, events, log });
  const open = stack.move();
  return {
    ...nouns(parts, { execs, images, remote, system }),
    reloaded: (again) => {
      current = again;
      reload(again, { parts, images, system });
    },
    startByPolicy: () => resumeRestarts(parts),
    endContainers: () => endAll(parts, current.shutdownTimeout),
    [Symbol.asyncDispose]: () => open.disposeAsync(),
  };
}

/** What the API sees of the parts. */
function nouns(
  parts: Parts,
  o: { execs: Engine['execs']; images: EngineImages; remote: Remote; system: OpenSystem },
): Engine {
  const { networks, volumes, events } = parts;
  const { execs, images, remote, system } = o;
  return {
    containers: openContainers(parts),
    files: openContainerFiles(parts),
    execs,
    images,
    distribution: openDistribution(remote),
    networks,
    volumes,
    volumeFiles: openVolumeFiles(parts),
    events,
    system,
  };
}

/** What takes over changeable settings, beside what asks for them at each use. */
interface Reloaded {
  readonly parts: Parts;
  readonly images: EngineImages;
  readonly system: OpenSystem;
}

function reload(config: DaemonConfig, { parts, images, system }: Reloaded): void {
  parts.defaults.shmSize = config.defaultShmSize;
  parts.defaults.ipcMode = config.defaultIpcMode;
  images.limitTransfers(transferLimits(config));
  system.reloaded(config);
}

function engineImages(
  config: DaemonConfig,
  parts: Pick<Parameters<typeof openImages>[0], 'store' | 'events' | 'remote' | 'log'>,
  registry: Registry,
  bundles: string,
): ReturnType<typeof openImages> {
  return openImages({
    ...parts,
    ...transferLimits(config),
    version: VERSION,
    inUse: (image) => registry.usersOf(image),
    standingOn: (dir) => standingOn(registry.all(), bundles, dir),
  });
}

const transferLimits = ({ maxConcurrentDownloads, maxConcurrentUploads }: DaemonConfig) => ({
  maxDownloads: maxConcurrentDownloads,
  maxUploads: maxConcurrentUploads,
});

function engineRuntimes({ execRoot, dataRoot, runtimes, defaultRuntime }: DaemonConfig): Promise<Runtimes> {
  return chooseRuntime({ execRoot, dataRoot, runtimes, default: defaultRuntime });
}

function engineNetworks(
  { execRoot, dataRoot, bip, dns }: DaemonConfig,
  parts: Pick<Parameters<typeof openNetworkStack>[0], 'engineId' | 'db' | 'userns' | 'log'>,
): ReturnType<typeof openNetworkStack> {
  return openNetworkStack({ execRoot, dataRoot, bip, dns, poolSize: READY_NAMESPACES, ...parts });
}

function enginePaths(running: RunningPaths, { dirs: { containers, init, tmp } }: Store): Parts['paths'] {
  return { ...running, containers, init, scratch: tmp };
}

type RunningPaths = Pick<Parts['paths'], 'bundles' | 'execs'>;

/** Directories for what runs. */
async function runningPaths(execRoot: string): Promise<RunningPaths> {
  const paths = { bundles: join(execRoot, 'bundles'), execs: join(execRoot, 'execs') };
  for (const path of Object.values(paths)) await mkdir(path, { recursive: true, mode: 0o711 });
  return paths;
}

/** Nothing is begun from here on; what runs is let go. */
async function leave(parts: Parts, leaving: AbortController): Promise<void> {
  leaving.abort();
  for (const it of [parts.restarts, parts.health]) it[Symbol.dispose]();
  await letGo(parts);
}

/**
 * Running containers keep what they have printed in their pipes for the next daemon; clients are let go. What is being
 * done to a container is finished first, the end of its process above all.
 */
async function letGo({ registry, locks, lastMessages }: Parts): Promise<void> {
  await Promise.all(
    registry.all().map((tracked) => locks.run(tracked.container.id, async () => tracked.live?.hub.close())),
  );
  await lastMessages.gone();
}

/** An engine that goes away while nothing runs takes its bridge, rules and shims along. */
async function leaveNothingIdle({ registry, networks, shims, userns }: Parts): Promise<void> {
  if (registry.all().some((tracked) => tracked.live !== undefined)) return;
  await Promise.all([networks.destroy(), shims.shutdownIdle()]);
  await userns?.remove();
}

function reaper(bundles: string, { byName }: Runtimes, { cgroup }: HostFacts): Parts['reap'] {
  return (id) => reapOrphan({ id, bundle: join(bundles, id), namespace: NAMESPACE, runtimes: byName.values(), cgroup });
}

/** The engine's own id, made once for a data root. */
function engineId({ db }: Store): string {
  const row = db.sql.prepare("SELECT value FROM facts WHERE key = 'engine-id'").get();
  if (row !== undefined) return String(row['value']);
  const id = randomId();
  db.sql.prepare("INSERT INTO facts (key, value) VALUES ('engine-id', ?)").run(id);
  return id;
}
