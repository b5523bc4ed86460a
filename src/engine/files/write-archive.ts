import type { Readable } from 'node:stream';
import { type Extraction, openExtraction } from '../../kernel/files/extraction.ts';
import { expand } from '../../util/compression.ts';
import { forbidden, internal, invalid, kindOf, messageOf } from '../../util/errors.ts';
import { nameBytes, nameText, type TarEntry } from '../../util/tar/entry.ts';
import { TarReader } from '../../util/tar/tar-reader.ts';
import { emitContainer } from '../containers/container-events.ts';
import { containerUser } from '../containers/container-user.ts';
import type { Container } from '../containers/model.ts';
import type { Parts } from '../containers/parts.ts';
import type { Tracked } from '../containers/tracked.ts';
import { containerPath } from './container-path.ts';
import { holdFiles } from './hold-files.ts';
import { type AskedPath, notThere } from './read-archive.ts';

export interface WriteOptions {
  /** A directory is not replaced by a file, nor the other way round. */
  readonly keepKinds: boolean;
  /** Everything comes to belong to the container's user. */
  readonly toUser: boolean;
}

type Owner = Pick<TarEntry, 'uid' | 'gid'>;

/**
 * Unpacks an archive, compressed or not, into a directory of a container.
 *
 * @throws `not-found` and `invalid` for the directory, `forbidden` for one that is read-only, in Docker's words.
 */
export async function writeArchive(
  parts: Parts,
  tracked: Tracked,
  asked: AskedPath,
  archive: Readable,
  options: WriteOptions,
): Promise<void> {
  const { container } = tracked;
  await using held = await holdFiles(parts, tracked, 'all', asked.signal);
  const owner = options.toUser && container.config.User !== '' ? await containerUser(container, '') : undefined;
  await using target = await open();
  refuseReadOnly(container, nameText(target.path));
  await unpack(archive, target, owner).catch((error: unknown) => {
    // The container and the directory are there; what an archive links to may not be.
    throw kindOf(error) === 'not-found' ? internal(messageOf(error), error) : error;
  });
  emitContainer(parts.events, container, 'extract-to-dir');

  async function open(): Promise<Extraction> {
    try {
      return await openExtraction(held.view, nameBytes(containerPath(asked.path)), options.keepKinds, held.signal);
    } catch (error) {
      throw notThere(error, asked.ref, asked.path);
    }
  }
}

/** Docker looks at what the container was told, so that it answers the same whether the container runs or not. */
function refuseReadOnly({ mounts, hostConfig }: Container, path: string): void {
  const holds = (target: string): boolean => path === target || path.startsWith(target === '/' ? '/' : `${target}/`);
  const mount = mounts.filter(({ destination }) => holds(destination)).toSorted(longestFirst)[0];
  if (mount !== undefined && !mount.rw) throw forbidden('mounted volume is marked read-only');
  const tmpfs = Object.keys(hostConfig.Tmpfs ?? {}).some(holds);
  if (mount === undefined && !tmpfs && hostConfig.ReadonlyRootfs) {
    throw forbidden('container rootfs is marked read-only');
  }
}

const longestFirst = (a: { destination: string }, b: { destination: string }): number =>
  b.destination.length - a.destination.length;

/** Adds what an archive has, compressed or not. @throws `invalid` for one that is none, or leads elsewhere. */
export async function unpack(archive: Readable, target: Extraction, owner: Owner | undefined): Promise<void> {
  const { chunks } = await expand(archive);
  const reader = new TarReader(chunks);
  try {
    for (let entry = await reader.next(); entry !== undefined; entry = await reader.next()) {
      checkName(entry);
      checkOwner(entry);
      await target.add(owner === undefined ? entry : { ...entry, uid: owner.uid, gid: owner.gid });
      for (let part = await reader.data(); part !== undefined; part = await reader.data()) await target.data(part);
    }
    await target.finish();
    await reader.drain();
  } finally {
    await reader.close();
  }
}

/** What leads above the directory is refused for clarity; that it cannot leave the container is the worker's doing. */
function checkName({ name, linkName, type }: TarEntry): void {
  for (const each of type === 'link' ? [name, linkName] : [name]) {
    const depths = each.split('/').reduce<number[]>((all, part) => [...all, (all.at(-1) ?? 0) + stepOf(part)], []);
    if (depths.some((depth) => depth < 0)) {
      throw invalid(`${JSON.stringify(nameText(each))} is outside of the directory`);
    }
  }
}

/** The kernel's numbers have 32 bits, and the last of them stands for none. */
function checkOwner({ name, uid, gid }: TarEntry): void {
  if (Math.max(uid, gid) >= 2 ** 32 - 1) throw invalid(`lchown ${nameText(name)}: invalid argument`);
}

const stepOf = (part: string): number => (part === '..' ? -1 : part === '' || part === '.' ? 0 : 1);
