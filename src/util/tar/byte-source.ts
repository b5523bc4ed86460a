import { invalid } from '../errors.ts';

const EMPTY = Buffer.alloc(0);

/** Reads exact amounts from a stream of chunks, without copying what lies within one chunk. */
export class ByteSource {
  readonly #chunks: AsyncIterator<Uint8Array>;
  #chunk: Buffer = EMPTY;
  #at = 0;

  constructor(source: AsyncIterable<Uint8Array>) {
    this.#chunks = source[Symbol.asyncIterator]();
  }

  async #refill(): Promise<boolean> {
    while (this.#at === this.#chunk.length) {
      const next = await this.#chunks.next();
      if (next.done === true) return false;
      const { buffer, byteOffset, byteLength } = next.value;
      this.#chunk = Buffer.isBuffer(next.value) ? next.value : Buffer.from(buffer, byteOffset, byteLength);
      this.#at = 0;
    }
    return true;
  }

  /** The next `length` bytes if they are in memory already: saves the cost of a promise. */
  takeNow(length: number): Buffer | undefined {
    if (this.#chunk.length - this.#at < length) return undefined;
    this.#at += length;
    return this.#chunk.subarray(this.#at - length, this.#at);
  }

  /** Exactly `length` bytes. @throws `invalid` `unexpected EOF` */
  async take(length: number): Promise<Buffer> {
    const now = this.takeNow(length);
    if (now !== undefined) return now;
    const whole = Buffer.allocUnsafe(length);
    for (let at = 0; at < length; ) {
      const part = await this.some(length - at);
      if (part === undefined) throw invalid('unexpected EOF');
      at += part.copy(whole, at);
    }
    return whole;
  }

  /** Between 1 and `max` bytes, whatever is at hand; undefined at the end. */
  async some(max: number): Promise<Buffer | undefined> {
    if (this.#at === this.#chunk.length && !(await this.#refill())) return undefined;
    return this.takeNow(Math.min(max, this.#chunk.length - this.#at));
  }

  /** True when nothing follows. */
  async ended(): Promise<boolean> {
    return !(await this.#refill());
  }

  /** Skips `length` bytes. @throws `invalid` `unexpected EOF` */
  async skip(length: number): Promise<void> {
    for (let left = length; left > 0; ) {
      const part = await this.some(left);
      if (part === undefined) throw invalid('unexpected EOF');
      left -= part.length;
    }
  }

  /** Reads and forgets the rest. */
  async drain(): Promise<void> {
    while ((await this.some(Number.MAX_SAFE_INTEGER)) !== undefined);
  }

  /** Tells the source that no more is wanted. */
  async close(): Promise<void> {
    await this.#chunks.return?.();
  }
}
