import { type ChildProcessByStdio, spawn } from 'node:child_process';
import type { Readable, Writable } from 'node:stream';
import { endsWithin } from '../../util/ends-within.ts';
import { type GantryError, internal, notFound } from '../../util/errors.ts';
import { spawnError } from '../../util/spawn.ts';
import { type BodyReader, type FrameHead, FrameReader, field, frame } from './frames.ts';
import { type FileView, viewFields } from './view.ts';
import { workerScript } from './worker-script.ts';
import type { Verb } from './worker-verbs.ts';

const ENOENT = 2;
/** How long one that was killed may take to end; the kernel holds it while it waits for certain file systems. */
const ENDS_MS = 3000;
const MAX_WORDS = 2000;

/**
 * A process that has left the host's files for those of a container and works on them there (see `worker-script.ts`). It ends
 * when the engine ends, when `signal` fires, and when it is disposed of; what it mounted goes with it.
 */
export class FileWorker implements AsyncDisposable {
  readonly #child: ChildProcessByStdio<Writable, Readable, Readable>;
  readonly #frames: FrameReader;
  readonly #ended: Promise<void>;
  #failure: Error | undefined;
  #words = '';

  constructor(view: FileView, verb: Verb, args: readonly string[], signal?: AbortSignal) {
    this.#child = spawn('perl', ['-e', workerScript(verb), process.arch], {
      cwd: '/',
      stdio: ['pipe', 'pipe', 'pipe'],
      env: { PATH: process.env['PATH'], LC_ALL: 'C' },
      ...(signal === undefined ? {} : { signal, killSignal: 'SIGKILL' }),
    });
    this.#child.on('error', (error) => {
      this.#failure = spawnError('perl', error);
      // Told to end by `signal`, too: nobody is to wait for what it would have said.
      this.#child.stdout.destroy();
    });
    // A worker that gave up closes its end; its last frame tells why.
    this.#child.stdin.on('error', () => {});
    this.#child.stderr.on('data', (chunk: Buffer) => {
      if (this.#words.length < MAX_WORDS) this.#words += chunk.toString();
    });
    // Not `once`, which an error ends: a worker that is told to end by `signal` gives one, and has not ended then.
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#child.on('close', () => resolve());
    this.#ended = promise;
    this.#frames = new FrameReader(this.#child.stdout);
    this.#child.stdin.write(frame('V', ...viewFields(view)));
    this.#child.stdin.write(frame('A', ...args.map(field)));
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** The next frame; undefined when the work is done. @throws what the worker says went wrong, `not-found` for ENOENT. */
  async next(): Promise<FrameHead | undefined> {
    const head = await this.#told(() => this.#frames.head());
    if (head.type === 'Z') return undefined;
    if (head.type === 'X') throw workerError(await this.body(head.length));
    return head;
  }

  body(length: number): Promise<BodyReader> {
    return this.#told(() => this.#frames.body(length));
  }

  some(max: number): Promise<Buffer> {
    return this.#told(() => this.#frames.some(max));
  }

  /** Hands bytes on; a promise when the worker lags. */
  write(bytes: Buffer): Promise<void> | undefined {
    const { stdin } = this.#child;
    if (stdin.destroyed || stdin.write(bytes)) return undefined;
    return this.#drained();
  }

  /** Also when it gave up: its end is then closed, though its last words may not have been read yet. */
  async #drained(): Promise<void> {
    const { stdin } = this.#child;
    const free = Promise.withResolvers<void>();
    stdin.once('drain', free.resolve).once('close', free.resolve);
    await free.promise;
    stdin.off('drain', free.resolve).off('close', free.resolve);
  }

  /** True when it gave up: what is written to it is not read any more. */
  get over(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null;
  }

  async #told<T>(read: () => Promise<T>): Promise<T> {
    try {
      return await read();
    } catch (error) {
      await endsWithin(this.#ended, ENDS_MS);
      throw (
        this.#failure ?? internal(this.#words.trim() || 'the worker on the files of a container ended early', error)
      );
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.stdin.destroy();
    if (!this.over) this.#child.kill('SIGKILL');
    this.#child.stdout.destroy();
    await endsWithin(this.#ended, ENDS_MS);
  }
}

function workerError(body: BodyReader): GantryError {
  const text = body.text();
  return body.uint() === ENOENT ? notFound(text) : internal(text);
}
