import { invalid } from '../errors.ts';
import type { TarTime } from './entry.ts';

/** Tar is made of blocks of this many bytes. */
export const BLOCK = 512;

/** Bytes that fill the last block of `size` bytes of data. */
export const padding = (size: number): number => (BLOCK - (size % BLOCK)) % BLOCK;

const CHECKSUM_AT = 148;
const CHECKSUM_END = 156;

/** A header block's fields as they stand there (POSIX ustar, GNU and star variants), checksum verified. */
export interface RawHeader {
  readonly typeflag: string;
  readonly name: string;
  readonly linkName: string;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly size: number;
  readonly mtime: TarTime;
  readonly devMajor: number;
  readonly devMinor: number;
  readonly block: Buffer;
}

const broken = () => invalid('archive/tar: invalid tar header');

function text(block: Buffer, at: number, length: number): string {
  const end = block.indexOf(0, at);
  return block.toString('latin1', at, end < 0 || end > at + length ? at + length : end);
}

function base256(block: Buffer, at: number, length: number): number {
  const negative = ((block[at] ?? 0) & 0x40) !== 0;
  let value = BigInt((block[at] ?? 0) & 0x7f);
  for (let i = at + 1; i < at + length; i++) value = (value << 8n) | BigInt(block[i] ?? 0);
  if (negative) value -= 1n << BigInt(8 * length - 1);
  const number = Number(value);
  if (!Number.isSafeInteger(number)) throw broken();
  return number;
}

/**
 * A numeric field: octal digits between blanks, or GNU's base-256 when the first bit is set.
 *
 * @throws `invalid`
 */
export function numberField(block: Buffer, at: number, length: number): number {
  if (((block[at] ?? 0) & 0x80) !== 0) return base256(block, at, length);
  let value = 0;
  let i = at;
  const end = at + length;
  while (i < end && (block[i] === 0x20 || block[i] === 0)) i++;
  for (; i < end; i++) {
    const digit = (block[i] ?? 0) - 0x30;
    if (digit < 0 || digit > 7) break;
    value = value * 8 + digit;
  }
  if (i < end && block[i] !== 0x20 && block[i] !== 0) throw broken();
  if (!Number.isSafeInteger(value)) throw broken();
  return value;
}

/** The sum of all bytes, the checksum field counted as blanks; `signed` is what some old writers computed. */
function sums(block: Buffer): { unsigned: number; signed: number } {
  let unsigned = 8 * 0x20;
  let high = 0;
  for (let i = 0; i < BLOCK; i++) {
    if (i === CHECKSUM_AT) i = CHECKSUM_END;
    const byte = block[i] ?? 0;
    unsigned += byte;
    if (byte > 127) high++;
  }
  return { unsigned, signed: unsigned - 256 * high };
}

/** The checksum a header block must carry. */
export const checksum = (block: Buffer): number => sums(block).unsigned;

export function isZeroBlock(block: Buffer): boolean {
  if (block[0] !== 0) return false;
  for (let i = 1; i < BLOCK; i++) if (block[i] !== 0) return false;
  return true;
}

function fullName(block: Buffer): string {
  const name = text(block, 0, 100);
  // GNU headers carry "ustar  " and keep times where POSIX has the prefix; star ends its shorter prefix with "tar".
  if (block.toString('latin1', 257, 263) !== 'ustar\0') return name;
  const prefix = text(block, 345, block.toString('latin1', 508, 512) === 'tar\0' ? 131 : 155);
  return prefix === '' ? name : `${prefix}/${name}`;
}

/**
 * Parses one header block.
 *
 * @throws `invalid` `archive/tar: invalid tar header`
 */
export function parseHeader(block: Buffer): RawHeader {
  const told = numberField(block, CHECKSUM_AT, 8);
  const { unsigned, signed } = sums(block);
  if (told !== unsigned && told !== signed) throw broken();
  const modern = block.toString('latin1', 257, 262) === 'ustar';
  const size = numberField(block, 124, 12);
  if (size < 0) throw broken();
  return {
    typeflag: String.fromCharCode(block[156] ?? 0),
    name: fullName(block),
    linkName: text(block, 157, 100),
    mode: numberField(block, 100, 8) & 0o7777,
    uid: numberField(block, 108, 8),
    gid: numberField(block, 116, 8),
    size,
    mtime: { seconds: numberField(block, 136, 12), nanos: 0 },
    devMajor: modern ? numberField(block, 329, 8) : 0,
    devMinor: modern ? numberField(block, 337, 8) : 0,
    block,
  };
}
