import { chmod, chown, utimes } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { openExtraction } from '../../kernel/files/extraction.ts';
import type { FileView } from '../../kernel/files/view.ts';
import { walkFiles } from '../../kernel/files/walk.ts';
import { randomId } from '../../util/id.ts';
import { nameBytes, type TarEntry } from '../../util/tar/entry.ts';
import type { Parts } from '../containers/parts.ts';
import { packFiles } from './pack.ts';
import { begunArchive } from './read-archive.ts';
import { unpack } from './write-archive.ts';

/** Gantry's own: what is in a volume, without a container. */
export interface VolumeFiles {
  /** All of it as an archive, its names relative to the volume. @throws `not-found` */
  read(name: string, signal: AbortSignal): Promise<Readable>;
  /** Unpacks an archive, compressed or not, over what is there. @throws `not-found`, `invalid` */
  write(name: string, archive: Readable, signal: AbortSignal): Promise<void>;
}

/** The files of volumes, whoever mounts them meanwhile: the work is confined to a volume as that on containers is to theirs. */
export function openVolumeFiles(parts: Pick<Parts, 'volumes' | 'log' | 'leaving'>): VolumeFiles {
  return {
    async read(name, signal) {
      await using undo = new AsyncDisposableStack();
      const { view, signal: either } = await hold(parts, name, signal, undo);
      const named = packFiles(walkFiles(view, '/', either), (path) => (path.length === 0 ? './' : path));
      return await begunArchive(named, undo);
    },
    async write(name, archive, signal) {
      await using undo = new AsyncDisposableStack();
      const { view, signal: either } = await hold(parts, name, signal, undo);
      await using target = await openExtraction(view, nameBytes('/'), false, either);
      let own: TarEntry | undefined;
      const add = async (entry: TarEntry): Promise<void> => {
        if (isRoot(entry)) own = entry;
        else await target.add(entry);
      };
      await unpack(archive, { ...target, add }, undefined);
      if (own !== undefined) await become(view.root, own);
    },
  };
}

const isRoot = ({ type, name }: TarEntry): boolean =>
  type === 'directory' && /^[./]*$/.test(name) && !name.includes('..');

/** What the archive says of the volume itself; that is no directory that a container could put something else in the place of. */
async function become(root: string, { uid, gid, mode, mtime }: TarEntry): Promise<void> {
  await chown(root, uid, gid);
  await chmod(root, mode & 0o7777);
  const seconds = mtime.seconds + mtime.nanos / 1e9;
  await utimes(root, seconds, seconds);
}

/** Has a volume mounted, and kept from being removed, until the stack is disposed of. */
async function hold(
  { volumes, log, leaving }: Pick<Parts, 'volumes' | 'log' | 'leaving'>,
  name: string,
  signal: AbortSignal,
  undo: AsyncDisposableStack,
): Promise<{ view: FileView & { readonly kind: 'tree' }; signal: AbortSignal }> {
  await volumes.get(name);
  // Whoever is told that it is in use sees what by.
  const user = `archive-${randomId().slice(0, 12)}`;
  undo.use(await volumes.hold({ name, driver: '', labels: null, options: null }, user));
  const root = await volumes.use(name, user);
  undo.defer(() =>
    volumes.leave(name, user).catch((error: unknown) => log.warn('a volume stays mounted', { name, error })),
  );
  return { view: { kind: 'tree', root }, signal: AbortSignal.any([signal, leaving]) };
}
