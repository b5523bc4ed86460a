import type { SparseMap, TarEntry } from '../../src/util/tar/entry.ts';
import { checksum, padding } from '../../src/util/tar/header.ts';
import { entryOf, type Member } from '../../src/util/tar/tar-fixture.ts';
import { TAR_END } from '../../src/util/tar/tar-writer.ts';

// GNU tar's own format, before PAX: long names in members of their own, large numbers in base 256, holes in the header.

const FLAGS = { file: '0', link: '1', symlink: '2', char: '3', block: '4', directory: '5', fifo: '6' } as const;
const IN_HEADER = 4;
const IN_BLOCK = 21;

/** An archive as GNU tar wrote it by default for decades. Attributes and parts of a second cannot be told. */
export function gnuArchiveOf(members: readonly Member[]): Buffer {
  return Buffer.concat([...members.flatMap(blocksOf), TAR_END]);
}

function blocksOf(member: Member): Buffer[] {
  const entry = closed(entryOf(member));
  const data = Buffer.from(member.data ?? '');
  const name = entry.type === 'directory' && !entry.name.endsWith('/') ? `${entry.name}/` : entry.name;
  return [
    ...(name.length > 100 ? long('L', name) : []),
    ...(entry.linkName.length > 100 ? long('K', entry.linkName) : []),
    header({ ...entry, name }, entry.sparse === undefined ? FLAGS[entry.type] : 'S'),
    ...moreSegments(entry.sparse),
    data,
    Buffer.alloc(padding(data.length)),
  ];
}

/** GNU tar ends every map with an empty run where the file ends. */
function closed(entry: TarEntry): TarEntry {
  if (entry.sparse === undefined) return entry;
  const { realSize, segments } = entry.sparse;
  return { ...entry, sparse: { realSize, segments: [...segments, { offset: realSize, length: 0 }] } };
}

function long(typeflag: string, text: string): Buffer[] {
  const data = Buffer.from(`${text}\0`, 'latin1');
  const entry = entryOf({ name: '././@LongLink', data });
  return [header(entry, typeflag), data, Buffer.alloc(padding(data.length))];
}

/** Writes octal digits, or base 256 when they do not fit. */
export function gnuNumber(block: Buffer, at: number, length: number, value: number): void {
  if (value >= 0 && value < 8 ** (length - 1)) {
    block.write(value.toString(8).padStart(length - 1, '0'), at, 'latin1');
    return;
  }
  let left = BigInt.asUintN(8 * length, BigInt(value));
  for (let i = at + length - 1; i >= at; i--) {
    block[i] = Number(left & 0xffn);
    left >>= 8n;
  }
  block[at] = (block[at] ?? 0) | 0x80;
}

function header(entry: TarEntry, typeflag: string): Buffer {
  const block = Buffer.alloc(512);
  block.write(entry.name, 0, 100, 'latin1');
  gnuNumber(block, 100, 8, entry.mode);
  gnuNumber(block, 108, 8, entry.uid);
  gnuNumber(block, 116, 8, entry.gid);
  gnuNumber(block, 124, 12, entry.size);
  gnuNumber(block, 136, 12, entry.mtime.seconds);
  block.write(typeflag, 156, 'latin1');
  block.write(entry.linkName, 157, 100, 'latin1');
  block.write('ustar  \0', 257, 'latin1');
  gnuNumber(block, 329, 8, entry.devMajor);
  gnuNumber(block, 337, 8, entry.devMinor);
  if (entry.sparse !== undefined) {
    segmentsInto(block, 386, entry.sparse.segments.slice(0, IN_HEADER));
    block[482] = entry.sparse.segments.length > IN_HEADER ? 1 : 0;
    gnuNumber(block, 483, 12, entry.sparse.realSize);
  }
  block.write(`${checksum(block).toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  return block;
}

function segmentsInto(block: Buffer, at: number, segments: SparseMap['segments']): void {
  for (const [index, { offset, length }] of segments.entries()) {
    gnuNumber(block, at + 24 * index, 12, offset);
    gnuNumber(block, at + 24 * index + 12, 12, length);
  }
}

function moreSegments({ segments }: Pick<SparseMap, 'segments'> = { segments: [] }): Buffer[] {
  const blocks: Buffer[] = [];
  for (let at = IN_HEADER; at < segments.length; at += IN_BLOCK) {
    const block = Buffer.alloc(512);
    segmentsInto(block, 0, segments.slice(at, at + IN_BLOCK));
    block[504] = segments.length > at + IN_BLOCK ? 1 : 0;
    blocks.push(block);
  }
  return blocks;
}
