import type { Readable } from 'node:stream';
import { walkFiles } from '../../kernel/files/walk.ts';
import { emitContainer } from '../containers/container-events.ts';
import type { Parts } from '../containers/parts.ts';
import type { Tracked } from '../containers/tracked.ts';
import { holdFiles } from './hold-files.ts';
import { packFiles } from './pack.ts';
import { begunArchive } from './read-archive.ts';

/** A container's root file system as an archive: what is mounted into it is not there. */
export async function exportContainer(parts: Parts, tracked: Tracked, signal: AbortSignal): Promise<Readable> {
  await using undo = new AsyncDisposableStack();
  const held = undo.use(await holdFiles(parts, tracked, 'root', signal));
  const files = walkFiles(held.view, '/', held.signal);
  const archive = await begunArchive(
    packFiles(files, (path) => path || undefined),
    undo,
  );
  emitContainer(parts.events, tracked.container, 'export');
  return archive;
}
