import { createReadStream, createWriteStream, existsSync, openSync, renameSync, rmSync } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';

/** The path of the `index`th older file as it is now on disk, compressed or not; undefined when there is none. */
export function rotatedFile(path: string, index: number): string | undefined {
  return [`${path}.${index}`, `${path}.${index}.gz`].find((file) => existsSync(file));
}

/** Moves `path` to `path.1` and each older file one further; what is beyond `maxFiles` in all is removed. */
export function shiftFiles(path: string, maxFiles: number): void {
  if (maxFiles === 1) {
    rmSync(path, { force: true });
    return;
  }
  for (const suffix of ['', '.gz']) rmSync(`${path}.${maxFiles - 1}${suffix}`, { force: true });
  for (let index = maxFiles - 2; index >= 1; index--) {
    for (const suffix of ['', '.gz']) {
      const from = `${path}.${index}${suffix}`;
      if (existsSync(from)) renameSync(from, `${path}.${index + 1}${suffix}`);
    }
  }
  // Somebody may have removed it.
  if (existsSync(path)) renameSync(path, `${path}.1`);
}

/** Removes all older files, compressed or not. */
export function removeOlder(path: string): void {
  for (let index = 1, file = rotatedFile(path, index); file !== undefined; file = rotatedFile(path, ++index)) {
    for (const suffix of ['', '.gz']) rmSync(`${path}.${index}${suffix}`, { force: true });
  }
}

/** Compresses older files in the background, one at a time, while they may be moved on under it. */
export class Compressor {
  readonly #path: string;
  readonly #maxFiles: number;
  readonly #report: (error: unknown) => void;
  /** Index of the file being compressed; it grows when files are shifted. */
  #index = 0;
  #running: Promise<void> | undefined;

  constructor(path: string, maxFiles: number, report: (error: unknown) => void) {
    this.#path = path;
    this.#maxFiles = maxFiles;
    this.#report = report;
    rmSync(this.#aside, { force: true });
  }

  get #aside(): string {
    return `${this.#path}.gz.tmp`;
  }

  /** To be called when the files have been shifted, and once at the start for what an earlier daemon left. */
  shifted(): void {
    if (this.#running !== undefined) this.#index += 1;
    else this.#running = this.#all().finally(() => (this.#running = undefined));
  }

  /** Resolves when nothing is left to compress. */
  async idle(): Promise<void> {
    await this.#running;
  }

  async #all(): Promise<void> {
    try {
      for (;;) {
        this.#index = this.#oldestPlain();
        if (this.#index === 0) return;
        await this.#compress();
      }
    } catch (error) {
      rmSync(this.#aside, { force: true });
      this.#report(error);
    }
  }

  #oldestPlain(): number {
    for (let index = this.#maxFiles - 1; index >= 1; index--) if (existsSync(`${this.#path}.${index}`)) return index;
    return 0;
  }

  async #compress(): Promise<void> {
    // Opened in this tick: a stream would open the name later, when another file may have it.
    const fd = openSync(`${this.#path}.${this.#index}`, 'r');
    const source = createReadStream('', { fd, highWaterMark: 262_144 });
    await pipeline(source, createGzip({ level: 1 }), createWriteStream(this.#aside, { mode: 0o640, flush: true }));
    const file = `${this.#path}.${this.#index}`;
    // It may have been shifted over the edge meanwhile.
    if (this.#index >= this.#maxFiles || !existsSync(file)) rmSync(this.#aside, { force: true });
    else {
      renameSync(this.#aside, `${file}.gz`);
      rmSync(file);
    }
  }
}
