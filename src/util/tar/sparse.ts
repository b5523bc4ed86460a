import { invalid } from '../errors.ts';
import type { ByteSource } from './byte-source.ts';
import type { SparseMap } from './entry.ts';
import { BLOCK, numberField, padding, type RawHeader } from './header.ts';
import { type PaxRecords, paxInteger } from './pax.ts';

// Holes come in four formats: GNU's own ('S'), and three generations inside PAX records
// (GNU tar manual, "Storing Sparse Files").

type Segment = SparseMap['segments'][number];

/** Parts with data that a file may have, so that telling of them takes some megabytes of memory at most. */
const MAX_SEGMENTS = 1 << 16;
const broken = () => invalid('archive/tar: invalid tar header');

/** Checks that segments lie in order, within the file, and hold exactly the stored bytes. @throws `invalid` */
function sparseMap(realSize: number, segments: readonly Segment[], stored: number): SparseMap {
  let end = 0;
  let total = 0;
  for (const { offset, length } of segments) {
    if (offset < end || length < 0 || offset + length > realSize) throw broken();
    end = offset + length;
    total += length;
  }
  if (total !== stored || !Number.isSafeInteger(realSize)) throw broken();
  return { realSize, segments };
}

function readOldSegments(block: Buffer, at: number, count: number, into: Segment[]): void {
  for (let i = 0; i < count; i++) {
    const start = at + i * 24;
    if (block[start] === 0) return;
    into.push({ offset: numberField(block, start, 12), length: numberField(block, start + 12, 12) });
  }
}

/** The map of an 'S' member: four segments in the header, more in extension blocks that follow it. */
export async function readOldSparse(header: RawHeader, size: number, source: ByteSource): Promise<SparseMap> {
  const segments: Segment[] = [];
  readOldSegments(header.block, 386, 4, segments);
  for (let extended = header.block[482] !== 0; extended; ) {
    const block = await source.take(BLOCK);
    readOldSegments(block, 0, 21, segments);
    extended = block[504] !== 0;
    if (segments.length > MAX_SEGMENTS) throw broken();
  }
  return sparseMap(numberField(header.block, 483, 12), segments, size);
}

function pairs(numbers: readonly number[]): Segment[] {
  if (numbers.length % 2 !== 0) throw broken();
  const segments: Segment[] = [];
  for (let i = 0; i < numbers.length; i += 2) {
    segments.push({ offset: numbers[i] ?? 0, length: numbers[i + 1] ?? 0 });
  }
  return segments;
}

async function readMapAtDataStart(source: ByteSource): Promise<{ segments: Segment[]; bytes: number }> {
  const numbers: number[] = [];
  let bytes = 0;
  let digits = '';
  while (numbers.length === 0 || numbers.length < 1 + 2 * (numbers[0] ?? 0)) {
    const block = await source.take(BLOCK);
    bytes += BLOCK;
    const lines = (digits + block.toString('latin1')).split('\n');
    digits = lines.pop() ?? '';
    for (const line of lines) {
      if (numbers.length > 0 && numbers.length === 1 + 2 * (numbers[0] ?? 0)) break;
      if (!/^[0-9]{1,16}$/.test(line)) throw broken();
      numbers.push(Number(line));
    }
    if (digits.length > BLOCK || (numbers[0] ?? 0) > MAX_SEGMENTS) throw broken();
  }
  return { segments: pairs(numbers.slice(1)), bytes };
}

/**
 * The map of a member whose PAX records speak of holes, and how many bytes of data remain; undefined for a plain file.
 * Format 1.0 keeps the map in front of the data, from where it is read here.
 */
export async function readPaxSparse(
  records: PaxRecords,
  size: number,
  source: ByteSource,
): Promise<{ map: SparseMap; size: number } | undefined> {
  const value = (key: string) => records.findLast(([name]) => name === key)?.[1];
  const real = value('GNU.sparse.realsize') ?? value('GNU.sparse.size');
  if (real === undefined) return undefined;
  const realSize = paxInteger(real);
  if (value('GNU.sparse.major')?.toString('latin1') === '1') {
    const { segments, bytes } = await readMapAtDataStart(source);
    return { map: sparseMap(realSize, segments, size - bytes), size: size - bytes };
  }
  const list = value('GNU.sparse.map')?.toString('latin1');
  const numbers =
    list === undefined
      ? records
          .filter(([key]) => key === 'GNU.sparse.offset' || key === 'GNU.sparse.numbytes')
          .map(([, number]) => paxInteger(number))
      : list.split(',').map((number) => paxInteger(Buffer.from(number)));
  return { map: sparseMap(realSize, pairs(numbers), size), size };
}

/** The map as format 1.0 has it in front of the data. */
export function encodeSparseMap({ realSize, segments }: SparseMap): Buffer {
  const last = segments.at(-1);
  // GNU tar makes a file as long as its map, so a hole at the end wants an empty run behind it.
  const closed = last?.offset === realSize ? segments : [...segments, { offset: realSize, length: 0 }];
  const lines = [closed.length, ...closed.flatMap(({ offset, length }) => [offset, length])];
  const text = Buffer.from(`${lines.join('\n')}\n`);
  return Buffer.concat([text, Buffer.alloc(padding(text.length))]);
}
