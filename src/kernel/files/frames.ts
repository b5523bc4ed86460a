import { ByteSource } from '../../util/tar/byte-source.ts';

// What the engine and a worker say to each other: frames of a length, a letter and a body. File names are bytes, one char each.

/** A field of a frame: its length, then its bytes. */
export function field(value: string | Buffer): Buffer {
  const bytes = typeof value === 'string' ? Buffer.from(value, 'latin1') : value;
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bytes.length);
  return Buffer.concat([length, bytes]);
}

/** A frame's letter and how many bytes follow. */
export interface FrameHead {
  readonly type: string;
  readonly length: number;
}

/** The head of a frame whose body has so many bytes. */
export function frameHead(type: string, length: number): Buffer {
  const head = Buffer.alloc(5);
  head.writeUInt32BE(length + 1);
  head.write(type, 4, 1, 'latin1');
  return head;
}

export function frame(type: string, ...parts: readonly Buffer[]): Buffer {
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  return Buffer.concat([frameHead(type, length), ...parts]);
}

/** Reads one value after the other from a frame's body. */
export class BodyReader {
  readonly #body: Buffer;
  #at = 0;

  constructor(body: Buffer) {
    this.#body = body;
  }

  uint(): number {
    this.#at += 4;
    return this.#body.readUInt32BE(this.#at - 4);
  }

  long(): number {
    this.#at += 8;
    return Number(this.#body.readBigInt64BE(this.#at - 8));
  }

  /** A number that only names something and may be too large for `number`. */
  id(): bigint {
    this.#at += 8;
    return this.#body.readBigUInt64BE(this.#at - 8);
  }

  letter(): string {
    this.#at += 1;
    return this.#body.toString('latin1', this.#at - 1, this.#at);
  }

  bytes(): Buffer {
    const length = this.uint();
    this.#at += length;
    return this.#body.subarray(this.#at - length, this.#at);
  }

  text(): string {
    return this.bytes().toString('latin1');
  }

  get ended(): boolean {
    return this.#at >= this.#body.length;
  }
}

/** The frames of a stream. */
export class FrameReader {
  readonly #source: ByteSource;

  constructor(stream: AsyncIterable<Uint8Array>) {
    this.#source = new ByteSource(stream);
  }

  /** The next frame's letter and how much follows. @throws `invalid` when the stream ends. */
  async head(): Promise<FrameHead> {
    const head = this.#source.takeNow(5) ?? (await this.#source.take(5));
    return { type: head.toString('latin1', 4, 5), length: head.readUInt32BE(0) - 1 };
  }

  /** What it gives as bytes shares the memory of its chunk: to be copied by who keeps it. */
  async body(length: number): Promise<BodyReader> {
    return new BodyReader(this.#source.takeNow(length) ?? (await this.#source.take(length)));
  }

  /** Some of the body's bytes. */
  async some(max: number): Promise<Buffer> {
    return (await this.#source.some(max)) ?? this.#source.take(1);
  }
}
