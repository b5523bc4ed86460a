import type { TarEntry } from '../../util/tar/entry.ts';
import { FileWorker } from './file-worker.ts';
import { field, frame, frameHead } from './frames.ts';
import type { FileView } from './view.ts';
import { typeBits } from './walk.ts';

const MAX_FRAME = 1 << 20;

/** Files being written below a directory of a container. */
export interface Extraction extends AsyncDisposable {
  /** The directory's real path in the container. */
  readonly path: string;
  /** Begins a file; as much data must follow as the entry says. */
  add(entry: TarEntry): Promise<void>;
  data(bytes: Buffer): Promise<void>;
  /** Resolves when all is written. @throws what went wrong. */
  finish(): Promise<void>;
}

/**
 * Opens a directory for files to come.
 *
 * @param keepKinds a directory is not replaced by a file, nor the other way round
 * @throws `not-found`; `internal` when it is no directory.
 */
export async function openExtraction(
  view: FileView,
  path: string,
  keepKinds: boolean,
  signal: AbortSignal,
): Promise<Extraction> {
  await using undo = new AsyncDisposableStack();
  const worker = undo.use(new FileWorker(view, ['extract', path, keepKinds ? '1' : '0'], signal));
  const ready = await worker.next();
  const resolved = (await worker.body(ready?.length ?? 0)).text();
  const stack = undo.move();
  /** After the worker gave up its last frame says why. */
  const write = async (bytes: Buffer): Promise<void> => {
    await worker.write(bytes);
    if (worker.over) await worker.next();
  };
  return {
    path: resolved,
    add: (entry) => write(entryFrame(entry)),
    data: async (bytes) => {
      for (let at = 0; at < bytes.length; at += MAX_FRAME) {
        const part = bytes.subarray(at, at + MAX_FRAME);
        void worker.write(frameHead('D', part.length));
        await write(part);
      }
    },
    finish: async () => {
      await worker.write(frame('Z'));
      while ((await worker.next()) !== undefined);
    },
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

function entryFrame(entry: TarEntry): Buffer {
  const { type, name, linkName, mode, uid, gid, mtime, devMajor, devMinor, xattrs, sparse } = entry;
  const runs = (sparse?.segments ?? []).flatMap(({ offset, length }) => [offset, length]);
  const bits = type === 'link' ? mode : typeBits(type) | mode;
  const size = type === 'file' ? (sparse?.realSize ?? entry.size) : 0;
  return frame(
    type === 'link' ? 'L' : 'E',
    field(name),
    field(linkName),
    uints(bits, uid, gid),
    longs(size, mtime.seconds),
    uints(mtime.nanos, devMajor, devMinor, runs.length),
    longs(...runs),
    ...[...xattrs].flatMap(([key, value]) => [field(key), field(value)]),
  );
}

function uints(...values: readonly number[]): Buffer {
  const bytes = Buffer.alloc(4 * values.length);
  for (const [i, value] of values.entries()) bytes.writeUInt32BE(value, 4 * i);
  return bytes;
}

function longs(...values: readonly number[]): Buffer {
  const bytes = Buffer.alloc(8 * values.length);
  for (const [i, value] of values.entries()) bytes.writeBigInt64BE(BigInt(value), 8 * i);
  return bytes;
}
