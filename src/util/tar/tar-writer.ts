import type { TarEntry, TarType } from './entry.ts';
import { BLOCK, checksum, padding } from './header.ts';
import { formatPaxTime, gnuXattrName, paxRecord } from './pax.ts';
import { encodeSparseMap } from './sparse.ts';

const FLAGS: Readonly<Record<TarType, string>> = {
  file: '0',
  link: '1',
  symlink: '2',
  char: '3',
  block: '4',
  directory: '5',
  fifo: '6',
};

const MAX_OCTAL_7 = 0o7777777;
const MAX_OCTAL_11 = 0o77777777777;

const ZEROS = Buffer.alloc(BLOCK);

/** The two zero blocks that end an archive. */
export const TAR_END: Buffer = Buffer.alloc(2 * BLOCK);

function octal(block: Buffer, at: number, digits: number, value: number): void {
  block.write(value.toString(8).padStart(digits, '0'), at, digits, 'latin1');
}

interface Ustar {
  typeflag: string;
  name: string;
  linkName: string;
  mode: number;
  uid: number;
  gid: number;
  size: number;
  seconds: number;
  devMajor: number;
  devMinor: number;
}

function ustar(fields: Ustar): Buffer {
  // Small ones come out of Node's pool, unlike those of `alloc`.
  const block = Buffer.allocUnsafe(BLOCK).fill(0);
  block.write(fields.name, 0, 100, 'latin1');
  octal(block, 100, 7, fields.mode);
  octal(block, 108, 7, fields.uid);
  octal(block, 116, 7, fields.gid);
  octal(block, 124, 11, fields.size);
  octal(block, 136, 11, fields.seconds);
  block.write(fields.typeflag, 156, 1, 'latin1');
  block.write(fields.linkName, 157, 100, 'latin1');
  block.write('ustar\x0000', 257, 8, 'latin1');
  octal(block, 329, 7, fields.devMajor);
  octal(block, 337, 7, fields.devMinor);
  octal(block, 148, 6, checksum(block));
  block[155] = 0x20;
  return block;
}

/** True when all chars are one byte below 0x80: only those mean the same to every reader of a ustar field. */
function plainAscii(text: string): boolean {
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) > 0x7f) return false;
  return true;
}

/** Records for whatever a ustar header cannot say. */
function paxRecords(entry: TarEntry, name: string, size: number): Buffer[] {
  const records: Buffer[] = [];
  const add = (key: string, value: string | Buffer) => records.push(paxRecord(key, value));
  if (entry.sparse === undefined && (name.length > 100 || !plainAscii(name))) add('path', name);
  if (entry.linkName.length > 100 || !plainAscii(entry.linkName)) add('linkpath', entry.linkName);
  if (entry.uid > MAX_OCTAL_7) add('uid', String(entry.uid));
  if (entry.gid > MAX_OCTAL_7) add('gid', String(entry.gid));
  if (size > MAX_OCTAL_11) add('size', String(size));
  const { seconds, nanos } = entry.mtime;
  if (nanos !== 0 || seconds < 0 || seconds > MAX_OCTAL_11) add('mtime', formatPaxTime(entry.mtime));
  for (const [key, value] of entry.xattrs) add(`SCHILY.xattr.${key.includes('=') ? gnuXattrName(key) : key}`, value);
  if (entry.sparse !== undefined) {
    add('GNU.sparse.major', '1');
    add('GNU.sparse.minor', '0');
    add('GNU.sparse.name', name);
    add('GNU.sparse.realsize', String(entry.sparse.realSize));
  }
  return records;
}

const clamp = (value: number, max: number): number => (value < 0 || value > max ? 0 : value);

/**
 * The blocks in front of an entry's data: a PAX header if a plain one cannot say it all, the header itself, and the map of a
 * sparse file. `entry.size` bytes of data and their {@link padding} must follow. Owner names are not written: numbers count.
 */
export function encodeHeader(entry: TarEntry): Buffer {
  const map = entry.sparse === undefined ? undefined : encodeSparseMap(entry.sparse);
  const size = entry.type === 'file' ? entry.size + (map?.length ?? 0) : 0;
  const name = entry.type === 'directory' && !entry.name.endsWith('/') ? `${entry.name}/` : entry.name;
  const records = paxRecords(entry, name, size);
  const header = ustar({
    typeflag: FLAGS[entry.type],
    name: name.slice(0, 100),
    linkName: entry.linkName.slice(0, 100),
    mode: entry.mode,
    uid: clamp(entry.uid, MAX_OCTAL_7),
    gid: clamp(entry.gid, MAX_OCTAL_7),
    size: clamp(size, MAX_OCTAL_11),
    seconds: clamp(entry.mtime.seconds, MAX_OCTAL_11),
    devMajor: clamp(entry.devMajor, MAX_OCTAL_7),
    devMinor: clamp(entry.devMinor, MAX_OCTAL_7),
  });
  if (records.length === 0 && map === undefined) return header;
  const blocks = records.length === 0 ? [header] : [...extended(Buffer.concat(records)), header];
  return Buffer.concat(map === undefined ? blocks : [...blocks, map]);
}

function extended(records: Buffer): Buffer[] {
  const header = ustar({
    typeflag: 'x',
    name: 'PaxHeaders/x',
    linkName: '',
    mode: 0o644,
    uid: 0,
    gid: 0,
    size: records.length,
    seconds: 0,
    devMajor: 0,
    devMinor: 0,
  });
  return [header, records, ZEROS.subarray(0, padding(records.length))];
}
