import type { Readable } from 'node:stream';
import { filled, type WalkedFile, walkFiles } from '../../kernel/files/walk.ts';
import { emitContainer } from '../containers/container-events.ts';
import type { Parts } from '../containers/parts.ts';
import type { Tracked } from '../containers/tracked.ts';
import { holdFiles } from './hold-files.ts';
import { packFiles } from './pack.ts';
import { begunArchive } from './read-archive.ts';

/** A container's root file system as an archive: what is mounted into it is not there. It may become a layer by `import`, so it has no holes. */
export async function exportContainer(parts: Parts, tracked: Tracked, signal: AbortSignal): Promise<Readable> {
  await using undo = new AsyncDisposableStack();
  const held = undo.use(await holdFiles(parts, tracked, 'root', signal));
  const archive = await begunArchive(
    packFiles(filledFiles(walkFiles(held.view, '/', held.signal)), (path) => path || undefined),
    undo,
  );
  emitContainer(parts.events, tracked.container, 'export');
  return archive;
}

async function* filledFiles(files: AsyncIterable<WalkedFile>): AsyncGenerator<WalkedFile> {
  for await (const walked of files) yield filled(walked);
}
