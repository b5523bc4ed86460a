import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { removeBundle } from '../../kernel/bundle.ts';
import type { FileView, ViewMount } from '../../kernel/files/view.ts';
import { conflict, notFound } from '../../util/errors.ts';
import { mountImages } from '../containers/image-mounts.ts';
import { makeSources } from '../containers/make-sources.ts';
import type { Container, ContainerMount } from '../containers/model.ts';
import type { Parts } from '../containers/parts.ts';
import { placeSubpaths } from '../containers/subpaths.ts';
import type { Tracked } from '../containers/tracked.ts';
import { rootOf, seenUserns } from '../containers/userns-of.ts';
import { leaveVolumes, useVolumes } from '../containers/volume-mounts.ts';

/** Which of a container's files: all that its process sees, or its root file system alone. */
export type Part = 'all' | 'root';

/** A container's files, held so that they stay in place. */
export interface HeldFiles extends AsyncDisposable {
  readonly view: FileView;
  /** Fires when the client is gone or the daemon goes down. */
  readonly signal: AbortSignal;
}

const hasProcess = ({ state: { status } }: Container): boolean => status === 'running' || status === 'paused';

/**
 * Holds the files of a container. One without a process is locked until they are let go, as in Docker: its overlay must not
 * be mounted a second time. That of one with a process is there already and is not held up.
 *
 * @throws `not-found` when it was removed meanwhile; `conflict` while that is going on.
 */
export async function holdFiles(parts: Parts, tracked: Tracked, part: Part, signal: AbortSignal): Promise<HeldFiles> {
  const either = AbortSignal.any([signal, parts.leaving]);
  const { container } = tracked;
  if (hasProcess(container)) {
    return { view: await viewOf(parts, container, part), signal: either, [Symbol.asyncDispose]: async () => {} };
  }
  const held = Promise.withResolvers<FileView>();
  const done = Promise.withResolvers<void>();
  const lock = parts.locks.run(container.id, async () => {
    const found = await viewUnderLock(parts, tracked, part);
    const user = `files of ${container.id}`;
    const mounted = found.kind === 'overlay' && part === 'all';
    if (!mounted) {
      held.resolve(found);
      return done.promise;
    }
    await using undo = new AsyncDisposableStack();
    await useVolumes(parts, container, user);
    undo.defer(() => leaveVolumes(parts, container, user));
    undo.defer(() => removeBundle(join(parts.paths.bundles, container.id)));
    held.resolve(await viewOf(parts, { ...container, mounts: await placeMounts(parts, container) }, part));
    return await done.promise;
  });
  lock.catch(held.reject);
  const view = await held.promise;
  // Started by somebody while this waited for the lock: nothing is to be locked then.
  if (view.kind !== 'overlay') done.resolve();
  return {
    view,
    signal: either,
    [Symbol.asyncDispose]: async () => {
      done.resolve();
      await lock.catch(() => {});
    },
  };
}

/**
 * The mounts with the sources that a start would find or make for them. One that somebody has to have made is left as it is: that
 * it is not there, the worker will say. A volume that is mounted by now is not where its empty directory was.
 */
async function placeMounts(parts: Parts, container: Container): Promise<ContainerMount[]> {
  const userns = await seenUserns(parts, container);
  const toBeMade = container.mounts.filter(({ manner }) => manner?.sourceMustExist !== true);
  await makeSources(toBeMade, { owner: rootOf(userns), sockets: parts.sockets });
  const bundle = join(parts.paths.bundles, container.id);
  const images = await mountImages(container, bundle, userns?.mapped ?? ((path) => path));
  const mounts = await placeSubpaths(parts, container);
  return mounts.map((mount) => ({ ...mount, source: images.get(mount.destination) ?? mount.source }));
}

async function viewUnderLock(parts: Parts, tracked: Tracked, part: Part): Promise<FileView> {
  const { container } = tracked;
  if (parts.registry.byId(container.id) !== tracked) throw notFound(`No such container: ${container.id}`);
  if (container.state.status === 'dead') throw conflict(`container ${container.id} is dead`);
  const { upper, work } = container.graph;
  await Promise.all([upper, work].map((dir) => mkdir(dir, { recursive: true })));
  return viewOf(parts, container, part);
}

async function viewOf(parts: Parts, container: Container, part: Part): Promise<FileView> {
  const { id, state, graph, hostConfig } = container;
  const { lower, upper, work, merged } = graph;
  // Mounted on in a namespace of the worker's own, where nobody looks for what lies below.
  const place = parts.paths.execs;
  if (!hasProcess(container)) {
    const userns = await seenUserns(parts, container);
    const mapped = userns?.mapped ?? ((path: string) => path);
    return {
      kind: 'overlay',
      place,
      userns,
      lower: lower.map(mapped),
      upper: mapped(upper),
      work: mapped(work),
      mounts: part === 'all' ? mountsOf(container, mapped) : [],
    };
  }
  if (part === 'root') return { kind: 'tree', root: merged, userns: `/proc/${state.pid}/ns/user` };
  const mounts = [...container.mounts.map(({ destination }) => destination), ...Object.keys(hostConfig.Tmpfs ?? {})];
  return { kind: 'process', pid: state.pid, containerId: id, mounts };
}

/** What is mounted into it when it runs, outer places first. A tmpfs is empty until then. */
function mountsOf({ mounts, files }: Container, mapped: (path: string) => string): ViewMount[] {
  const given = mounts
    .filter(({ source, type }) => source !== '' && type !== 'tmpfs')
    .map(({ type, source, destination, rw }) => ({
      source: type === 'volume' ? mapped(source) : source,
      target: destination,
      readOnly: !rw,
    }));
  const etc = [
    [files.resolvConf, '/etc/resolv.conf'],
    [files.hostname, '/etc/hostname'],
    [files.hosts, '/etc/hosts'],
  ] as const;
  // The first start makes them.
  const own = etc.filter(([source]) => existsSync(source));
  const taken = new Set(given.map(({ target }) => target));
  const depth = ({ target }: ViewMount): number => target.split('/').filter(Boolean).length;
  return [
    ...given,
    ...own.filter(([, target]) => !taken.has(target)).map(([source, target]) => ({ source, target, readOnly: false })),
  ].toSorted((a, b) => depth(a) - depth(b));
}
