import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { removeBundle, writeBundle } from '../../kernel/bundle.ts';
import type { Task } from '../../kernel/shim/shim-pool.ts';
import { mountShm } from '../../kernel/shm.ts';
import type { IoPipes } from '../../kernel/stdio/io-pool.ts';
import type { SeenUserns } from '../../kernel/userns/user-namespace.ts';
import { conflict, invalid, laterErrors, messageOf, notModified } from '../../util/errors.ts';
import { writeOwnedFile } from '../../util/files.ts';
import { nowRfc3339Nano } from '../../util/time.ts';
import { requestedEdits } from '../devices/device-requests.ts';
import { editSpec } from '../devices/edit-spec.ts';
import type { JoinRequest, Sandbox } from '../networks/networks.ts';
import { runtimeSpec } from '../runtime-spec/runtime-spec.ts';
import { autoRemove } from './auto-remove.ts';
import { checkUserns } from './check-userns.ts';
import { emitContainer, emitNetworks, emitVolumes } from './container-events.ts';
import { containerUser } from './container-user.ts';
import { mountImages } from './image-mounts.ts';
import { makeSources } from './make-sources.ts';
import { type Container, initialState } from './model.ts';
import { connectLog, openHub } from './open-hub.ts';
import type { Parts } from './parts.ts';
import { findJoined, type Joined, joinsRestarting, SHM_DIR } from './peers.ts';
import { writeIoRecord } from './run-records.ts';
import { saveState } from './save-state.ts';
import { followProcess } from './settle.ts';
import { startFailure } from './start-error.ts';
import { placeSubpaths } from './subpaths.ts';
import { takeOverNames } from './take-over-names.ts';
import { type Live, notify, type Tracked } from './tracked.ts';
import { useNetwork } from './use-network.ts';
import { rootOf, seenUserns } from './userns-of.ts';
import { leaveVolumes, useVolumes } from './volume-mounts.ts';

/**
 * Starts a container's process.
 *
 * @throws `not-modified` when it runs already; what the host or the runtime refused, in Docker's words, with the exit
 * code kept in the container's state.
 */
export async function startContainer(parts: Parts, tracked: Tracked): Promise<void> {
  const { container } = tracked;
  const failure = await parts.locks.run(container.id, async () => {
    checkStartable(container);
    container.restartCount = 0;
    return tryLaunch(parts, tracked, 0);
  });
  if (failure === undefined) return;
  await removeFailed(parts, tracked);
  throw failure;
}

/** How soon a container is tried again that joins one which is not up yet. */
const JOIN_DELAY_MS = 250;

/**
 * Starts a container that waits for its restart; one that does so no longer is left alone, and one that joins another goes on
 * waiting while that one is to be started itself. When the start fails the container stays down, as in Docker.
 */
export async function startAgain(parts: Parts, tracked: Tracked): Promise<void> {
  const { container } = tracked;
  const failure = await parts.locks.run(container.id, async () => {
    const { status, restartDelay } = container.state;
    if (parts.leaving.aborted || status !== 'restarting') return undefined;
    if (joinsRestarting(parts, container)) return parts.restarts.schedule(container.id, JOIN_DELAY_MS);
    return tryLaunch(parts, tracked, restartDelay);
  });
  if (failure === undefined) return;
  notify(tracked.onExit, { statusCode: container.state.exitCode, error: container.state.error });
  await removeFailed(parts, tracked);
  throw failure;
}

/** Gives what went wrong; the container's state then says it, too. */
async function tryLaunch(parts: Parts, tracked: Tracked, restartDelay: number): Promise<unknown> {
  const { container } = tracked;
  try {
    await launch(parts, tracked, restartDelay);
    return undefined;
  } catch (error) {
    const { exitCode, error: cause } = startFailure(error);
    for (const later of laterErrors(error)) {
      parts.log.error('a start that failed was not undone', { container: container.id, error: later });
    }
    const { status } = container.state;
    container.state = {
      ...container.state,
      status: status === 'restarting' ? 'exited' : status,
      exitCode,
      error: messageOf(cause),
      pid: 0,
      shim: '',
    };
    saveState(parts, container);
    endPendingAttaches(tracked);
    return cause;
  }
}

/** With `--rm` a container goes also after a start that failed. */
async function removeFailed(parts: Parts, tracked: Tracked): Promise<void> {
  await autoRemove(parts, tracked).catch((error: unknown) => {
    parts.log.warn('a container that did not start could not be removed', { container: tracked.container.id, error });
  });
}

/** The clients that wait for output of a process that there will not be. */
function endPendingAttaches(tracked: Tracked): void {
  for (const pending of tracked.pendingAttaches) pending.done.resolve('ended');
  tracked.pendingAttaches.clear();
}

function checkStartable({ state }: Container): void {
  if (state.status === 'running' || state.status === 'restarting') throw notModified('');
  if (state.status === 'paused') throw conflict('cannot start a paused container, try unpause instead');
  if (state.status === 'removing' || state.status === 'dead') {
    throw conflict('container is marked for removal and cannot be started');
  }
}

/** Everything is undone in reverse when a step fails; past the start of the process only `settle` undoes. */
async function launch(parts: Parts, tracked: Tracked, restartDelay: number): Promise<void> {
  const { container } = tracked;
  const joined = findJoined(parts, container);
  const userns = await seenUserns(parts, container);
  await checkUserns(container, userns, joined);
  await using undo = new AsyncDisposableStack();
  const sink = await connectLog(container);
  undo.defer(() => sink?.close());
  await useVolumes(parts, container);
  undo.defer(() => leaveVolumes(parts, container));
  const sandbox = await parts.networks.join(joinRequest(container, joined));
  undo.defer(() => parts.networks.leave(container.id));
  const pipes = await parts.io.take({ stdin: container.config.OpenStdin, stderr: !container.config.Tty });
  undo.defer(() => pipes.release());
  useNetwork(container, sandbox);
  undo.defer(() => useNetwork(container, undefined));
  emitJoined(parts, container, undo);
  const bundle = join(parts.paths.bundles, container.id);
  undo.defer(() => removeBundle(bundle));
  const task = await parts.moves.during(async () => {
    await prepareFiles(parts, container, { sandbox, joined, bundle, userns });
    writeIoRecord(parts, container.id, pipes.paths);
    return createTask(parts, container, pipes, { bundle, userns });
  });
  undo.defer(() => discard(task));
  const live: Live = {
    task,
    pipes,
    ...openHub(parts, container, { pipes, process: task }, sink),
    startedTick: performance.now(),
    settled: Promise.withResolvers(),
  };
  undo.defer(() => live.hub.finish());
  adoptAttaches(tracked, live);
  const pid = await task.start();
  undo.move();
  tracked.live = live;
  // Those that came while the process was being started.
  adoptAttaches(tracked, live);
  container.state = {
    ...initialState(),
    status: 'running',
    pid,
    startedAt: nowRfc3339Nano(),
    shim: task.shim,
    restartDelay,
    finishedAt: container.state.finishedAt,
    health: container.state.health,
  };
  parts.health.begin(tracked);
  followProcess(parts, tracked, live);
  saveState(parts, container);
  emitContainer(parts.events, container, 'start');
}

/** What a container takes is told before its process starts, and given back when it does not. */
function emitJoined({ events }: Parts, container: Container, undo: AsyncDisposableStack): void {
  emitNetworks(events, container, 'connect');
  emitVolumes(events, container, 'mount');
  undo.defer(() => {
    emitNetworks(events, container, 'disconnect');
    emitVolumes(events, container, 'unmount');
  });
}

function joinRequest({ id, name, hostConfig, config }: Container, { owners: { network } }: Joined): JoinRequest {
  return {
    containerId: id,
    name,
    mode: network === undefined ? hostConfig.NetworkMode : `container:${network.id}`,
    portBindings: hostConfig.PortBindings,
    publishAll: hostConfig.PublishAllPorts,
    exposed: Object.keys(config.ExposedPorts),
    hostUserns: hostConfig.UsernsMode === 'host',
  };
}

interface Preparation {
  readonly sandbox: Sandbox;
  readonly joined: Joined;
  readonly bundle: string;
  /** Undefined: the host's. */
  readonly userns: SeenUserns | undefined;
}

async function prepareFiles(parts: Parts, container: Container, preparation: Preparation) {
  const { sandbox, joined, bundle, userns } = preparation;
  const { graph } = container;
  await Promise.all([mkdir(graph.upper, { recursive: true }), mkdir(graph.work, { recursive: true })]);
  const { owners, peers, shm } = joined;
  if (owners.network !== undefined) takeOverNames(parts, container, owners.network);
  else await writeFiles(parts, container, preparation);
  await makeSources(container.mounts, { owner: rootOf(userns), sockets: parts.sockets });
  const images = await mountImages(container, bundle, userns?.mapped ?? ((path) => path));
  const user = await containerUser(container, '');
  const noRecursiveReadOnly = await whyNotReadOnlyBelow(parts, container);
  const place = {
    defaults: parts.defaults.spec,
    peers,
    images,
    noRecursiveReadOnly,
    ...(shm === undefined ? {} : { shm }),
  };
  const mounts = await placeSubpaths(parts, container);
  const spec = runtimeSpec({
    container: { ...container, mounts },
    host: parts.host,
    netnsPath: sandbox.netnsPath,
    user,
    userns,
    ...place,
  });
  const edits = await requestedEdits(container.hostConfig.DeviceRequests ?? [], parts);
  writeBundle(bundle, editSpec(spec, edits, parts.host));
  const { IpcMode, ShmSize } = container.hostConfig;
  if (IpcMode === 'shareable') await mountShm(join(bundle, SHM_DIR), ShmSize, rootOf(userns));
}

/** Asked only where it matters: it runs the runtime once. */
async function whyNotReadOnlyBelow(parts: Parts, { mounts, hostConfig: { Runtime } }: Container): Promise<string> {
  const matters = mounts.some(({ rw, source, manner }) => !rw && source !== '' && manner?.readOnlyBelow !== 'never');
  return matters ? parts.features.whyNoRecursiveReadOnly(Runtime) : '';
}

/** They belong to the container's root, as under Docker, who may write to them but finds no way to where they lie. */
async function writeFiles(
  parts: Parts,
  { id, files, config, hostConfig }: Container,
  { sandbox, userns }: Preparation,
): Promise<void> {
  const contents = await parts.networks.files({
    containerId: id,
    hostname: config.Hostname,
    domainname: config.Domainname,
    extraHosts: hostConfig.ExtraHosts ?? [],
    dns: hostConfig.Dns,
    dnsSearch: hostConfig.DnsSearch,
    dnsOptions: hostConfig.DnsOptions,
    sandbox,
  });
  const owner = rootOf(userns);
  await Promise.all([
    writeOwnedFile(files.hostname, contents.hostname, owner),
    writeOwnedFile(files.hosts, contents.hosts, owner),
    writeOwnedFile(files.resolvConf, contents.resolvConf, owner),
  ]);
}

function createTask(
  parts: Parts,
  container: Container,
  pipes: IoPipes,
  { bundle, userns }: Pick<Preparation, 'bundle' | 'userns'>,
): Promise<Task> {
  const { graph, hostConfig, config } = container;
  const runtime = parts.runtimes.get(hostConfig.Runtime);
  if (runtime === undefined) throw invalid(`unknown or invalid runtime name: ${hostConfig.Runtime}`);
  const { stdin, stdout, stderr } = pipes.paths;
  return parts.shims.create({
    id: container.id,
    bundle,
    rootfs: [overlay(graph, userns?.mapped)],
    ioOwner: rootOf(userns),
    terminal: config.Tty,
    stdin,
    stdout,
    stderr,
    runtime,
  });
}

function overlay({ lower, upper, work }: Container['graph'], mapped = (path: string) => path) {
  const lowerdirs = lower.map(mapped).join(':');
  const options = [`lowerdir=${lowerdirs}`, `upperdir=${mapped(upper)}`, `workdir=${mapped(work)}`];
  return { type: 'overlay', source: 'overlay', options: ['index=off', ...options] };
}

/** Takes back a process that was created and never started. */
async function discard(task: Task): Promise<void> {
  await task.kill(9).catch(() => {});
  await task.delete().catch(() => {});
}

/** Joins the clients that attached before there was a process. */
function adoptAttaches(tracked: Tracked, { hub }: Live): void {
  for (const pending of tracked.pendingAttaches) {
    hub.attach(pending.io).then(pending.done.resolve, pending.done.reject);
  }
  tracked.pendingAttaches.clear();
}
