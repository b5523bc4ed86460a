import { nameBytes, type TarEntry } from '../../util/tar/entry.ts';
import { padding } from '../../util/tar/header.ts';
import { TarReader } from '../../util/tar/tar-reader.ts';
import { encodeHeader, TAR_END } from '../../util/tar/tar-writer.ts';

/** An archive with another beginning of its names, and of those its hard links mean. `/` stands for the root. */
export async function* renameMembers(
  archive: AsyncIterable<Uint8Array>,
  { from, to }: { from: string; to: string },
): AsyncGenerator<Buffer> {
  const [old, name] = [from === '/' ? '' : nameBytes(from), nameBytes(to)];
  const renamed = (path: string): string => (path.startsWith(old) ? name + path.slice(old.length) : path);
  const reader = new TarReader(archive);
  try {
    for (let entry = await reader.next(); entry !== undefined; entry = await reader.next()) {
      yield* member(reader, {
        ...entry,
        name: renamed(entry.name),
        linkName: entry.type === 'link' ? renamed(entry.linkName) : entry.linkName,
      });
    }
    await reader.drain();
    yield TAR_END;
  } finally {
    await reader.close();
  }
}

async function* member(reader: TarReader, entry: TarEntry): AsyncGenerator<Buffer> {
  yield encodeHeader(entry);
  yield* reader.body();
  const fill = padding(entry.size);
  if (entry.type === 'file' && fill > 0) yield Buffer.alloc(fill);
}
