import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { getSystemErrorMessage } from 'node:util';
import { internal } from '../../util/errors.ts';
import type { FileWorker } from './file-worker.ts';
import type { FrameHead } from './frames.ts';

// Much data is not handed through a worker. It opens the file, where names are the container's, and the engine takes the
// open file over from its list in /proc, where no name of the container's counts.

/** Bytes that are read at once, and written. */
const READ_PIECE = 1 << 18;
const WRITE_PIECE = 1 << 21;

/** A part of a file. */
export interface Run {
  readonly offset: number;
  readonly length: number;
}

/** Opens the file that a frame of a worker offers, to be read or written. The worker waits until it is told that this is done. */
export async function takeFile(
  worker: FileWorker,
  head: FrameHead | undefined,
  use: 'read' | 'write',
): Promise<FileHandle> {
  if (head?.type !== 'F') throw internal('the worker on the files of a container offered no file');
  const body = await worker.body(head.length);
  const [fd, device, inode] = [body.uint(), body.id(), body.id()];
  const flags = use === 'read' ? constants.O_RDONLY : constants.O_WRONLY;
  await using undo = new AsyncDisposableStack();
  const file = undo.use(await open(`/proc/${worker.pid}/fd/${fd}`, flags));
  const found = await file.stat({ bigint: true });
  // The number of a worker that was killed may be another process's by now.
  if (found.dev !== device || found.ino !== inode) {
    throw internal('the worker on the files of a container ended early');
  }
  undo.move();
  return file;
}

/** The bytes of some parts of a file. What was cut off meanwhile reads as zeros. @throws `internal` with the kernel's words. */
export async function* readRuns(file: FileHandle, runs: readonly Run[], name: string): AsyncGenerator<Buffer> {
  for (const { offset, length } of runs) {
    for (let at = 0; at < length; ) {
      const piece = Buffer.allocUnsafeSlow(Math.min(READ_PIECE, length - at));
      const { bytesRead } = await file.read(piece, 0, piece.length, offset + at).catch(failing('read', name));
      const read = bytesRead === 0 ? piece.fill(0) : piece.subarray(0, bytesRead);
      at += read.length;
      yield read;
    }
  }
}

/** Writes what comes into the parts of a file, one after the other, and takes more in while it does so. */
export class RunWriter {
  readonly #file: FileHandle;
  readonly #runs: readonly Run[];
  readonly #name: string;
  #waiting: Buffer[] = [];
  #writing: Promise<void> = Promise.resolve();
  /** The part being written, and how much of it has been. */
  #run = 0;
  #done = 0;

  /** @param name what errors call the file */
  constructor(file: FileHandle, runs: readonly Run[], name: string) {
    this.#file = file;
    this.#runs = runs;
    this.#name = name;
  }

  /** A promise when there is enough to be waited for. @throws what went wrong with what came before. */
  write(bytes: Buffer): Promise<void> | undefined {
    this.#waiting.push(bytes);
    return sizeOf(this.#waiting) < WRITE_PIECE ? undefined : this.#flush();
  }

  /** Resolves when all is written and the file is closed. */
  async end(): Promise<void> {
    await this.#flush();
    await this.#writing;
    await this.close();
  }

  async close(): Promise<void> {
    await this.#writing.catch(() => {});
    await this.#file.close();
  }

  async #flush(): Promise<void> {
    await this.#writing;
    this.#writing = this.#spread(this.#waiting);
    this.#waiting = [];
    // Whoever waits for it is told; nobody may come to do so.
    this.#writing.catch(() => {});
  }

  async #spread(bytes: readonly Buffer[]): Promise<void> {
    for (let left = bytes; left.length > 0; ) {
      const run = this.#runs[this.#run];
      if (run === undefined) throw internal(`write ${this.#name}: more data than the file has room for`);
      const [now, later] = cut(left, run.length - this.#done);
      await this.#writeAll(now, run.offset + this.#done);
      this.#done += sizeOf(now);
      left = later;
      if (this.#done < run.length) continue;
      this.#run += 1;
      this.#done = 0;
    }
  }

  async #writeAll(bytes: readonly Buffer[], position: number): Promise<void> {
    for (let [left, at] = [bytes, position]; left.length > 0; ) {
      const written = await this.#file.writev(left, at).catch(failing('write', this.#name));
      at += written.bytesWritten;
      [, left] = cut(left, written.bytesWritten);
    }
  }
}

const failing = (what: string, name: string) => (error: NodeJS.ErrnoException) => {
  throw internal(`${what} ${name}: ${getSystemErrorMessage(error.errno ?? 0)}`, error);
};

const sizeOf = (bytes: readonly Buffer[]): number => bytes.reduce((sum, { length }) => sum + length, 0);

/** The first bytes of a list of buffers, and the rest. */
function cut(bytes: readonly Buffer[], length: number): [readonly Buffer[], readonly Buffer[]] {
  let left = length;
  for (const [i, one] of bytes.entries()) {
    if (one.length > left) {
      const first = left === 0 ? [] : [one.subarray(0, left)];
      return [
        [...bytes.slice(0, i), ...first],
        [one.subarray(left), ...bytes.slice(i + 1)],
      ];
    }
    left -= one.length;
  }
  return [bytes, []];
}
