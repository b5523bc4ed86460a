/** A string of bytes that need not be UTF-8, a time, or what JSON has of maps, lists and small numbers. */
export type Packable =
  | string
  | Buffer
  | number
  | bigint
  | Packed
  | readonly Packable[]
  | { readonly [name: string]: Packable };

/** Bytes that are encoded already. */
export class Packed {
  readonly bytes: Buffer;

  constructor(bytes: Buffer) {
    this.bytes = bytes;
  }
}

/** Encodes a value by the MessagePack specification, as far as Fluentd's forward protocol needs it. */
export function pack(value: Packable): Buffer {
  if (typeof value === 'string' || Buffer.isBuffer(value)) return packString(Buffer.from(value as string));
  if (typeof value === 'number' || typeof value === 'bigint') return packUint32(Number(value));
  if (value instanceof Packed) return value.bytes;
  if (Array.isArray(value)) {
    const list = value as readonly Packable[];
    return Buffer.concat([head(0x90, 15, 0xdc, list.length), ...list.map(pack)]);
  }
  const entries = Object.entries(value as { readonly [name: string]: Packable });
  return Buffer.concat([head(0x80, 15, 0xde, entries.length), ...entries.flatMap(([k, v]) => [pack(k), pack(v)])]);
}

/** Fluentd's `EventTime`: seconds and nanoseconds. */
export function eventTime(nanos: bigint): Packed {
  const bytes = Buffer.from([0xd7, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
  bytes.writeUInt32BE(Number(nanos / 1_000_000_000n), 2);
  bytes.writeUInt32BE(Number(nanos % 1_000_000_000n), 6);
  return new Packed(bytes);
}

/** A type with a short form for up to `most` elements, and one with 16 bits. */
function head(short: number, most: number, long: number, length: number): Buffer {
  if (length <= most) return Buffer.from([short | length]);
  const bytes = Buffer.from([long, 0, 0]);
  bytes.writeUInt16BE(length, 1);
  return bytes;
}

function packString(bytes: Buffer): Buffer {
  return Buffer.concat([stringHead(bytes.length), bytes]);
}

function stringHead(length: number): Buffer {
  if (length < 32) return Buffer.from([0xa0 | length]);
  if (length < 256) return Buffer.from([0xd9, length]);
  if (length < 65_536) return Buffer.from([0xda, length >> 8, length & 0xff]);
  const bytes = Buffer.from([0xdb, 0, 0, 0, 0]);
  bytes.writeUInt32BE(length, 1);
  return bytes;
}

function packUint32(value: number): Buffer {
  const bytes = Buffer.from([0xce, 0, 0, 0, 0]);
  bytes.writeUInt32BE(value, 1);
  return bytes;
}
