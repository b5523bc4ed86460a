import { invalid } from '../errors.ts';
import type { TarTime } from './entry.ts';

/** Records of a PAX extended header (POSIX.1-2017, pax, "pax Extended Header"), in the order they stand. */
export type PaxRecords = readonly (readonly [key: string, value: Buffer])[];

const broken = () => invalid('archive/tar: invalid tar header');

/** Takes `length key=value\n` apart. @throws `invalid` */
export function parsePax(data: Buffer): PaxRecords {
  const records: [string, Buffer][] = [];
  for (let at = 0; at < data.length; ) {
    const blank = data.indexOf(0x20, at);
    // Some writers fill the last block with zeros that they count as data.
    if (data[at] === 0) break;
    if (blank < 0 || blank - at > 10) throw broken();
    const digits = data.toString('latin1', at, blank);
    const end = at + Number(digits);
    const equals = data.indexOf(0x3d, blank);
    if (!/^[0-9]+$/.test(digits) || end > data.length || data[end - 1] !== 0x0a) throw broken();
    if (equals < 0 || equals >= end || equals === blank + 1) throw broken();
    records.push([data.toString('latin1', blank + 1, equals), data.subarray(equals + 1, end - 1)]);
    at = end;
  }
  return records;
}

/** One record; its length counts its own digits. */
export function paxRecord(key: string, value: string | Buffer): Buffer {
  const body = Buffer.concat([
    Buffer.from(` ${key}=`, 'latin1'),
    typeof value === 'string' ? Buffer.from(value, 'latin1') : value,
    Buffer.from('\n'),
  ]);
  let length = body.length + 1;
  while (length !== body.length + String(length).length) length = body.length + String(length).length;
  return Buffer.concat([Buffer.from(String(length)), body]);
}

/**
 * The name of an attribute as GNU tar writes and reads it behind `SCHILY.xattr.`: a key ends at the first `=`. Go's reader, which Docker uses,
 * takes every name as it stands.
 */
export function gnuXattrName(name: string): string {
  return name.replaceAll('%', '%25').replaceAll('=', '%3D');
}

/** A whole number of a record, e.g. `size`. @throws `invalid` */
export function paxInteger(value: Buffer): number {
  const text = value.toString('latin1');
  const number = Number(text);
  if (!/^-?[0-9]+$/.test(text) || !Number.isSafeInteger(number)) throw broken();
  return number;
}

/** Decimal seconds with any number of digits after the point; what is finer than a nanosecond is cut. @throws `invalid` */
export function paxTime(value: Buffer): TarTime {
  const match = /^(-?)([0-9]+)(?:\.([0-9]*))?$/.exec(value.toString('latin1'));
  if (match === null) throw broken();
  const seconds = Number(match[2]);
  const nanos = Number((match[3] ?? '').slice(0, 9).padEnd(9, '0'));
  if (!Number.isSafeInteger(seconds)) throw broken();
  if (match[1] !== '-') return { seconds, nanos };
  return nanos === 0 ? { seconds: 0 - seconds, nanos } : { seconds: -seconds - 1, nanos: 1e9 - nanos };
}

/** The opposite of {@link paxTime}. */
export function formatPaxTime({ seconds, nanos }: TarTime): string {
  if (nanos === 0) return String(seconds);
  const [whole, rest] = seconds < 0 ? [-seconds - 1, 1e9 - nanos] : [seconds, nanos];
  return `${seconds < 0 ? '-' : ''}${whole}.${String(rest).padStart(9, '0').replace(/0+$/, '')}`;
}
