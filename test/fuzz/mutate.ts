import { BLOCK, checksum } from '../../src/util/tar/header.ts';

type Below = (limit: number) => number;

const CHECKSUM_AT = 148;
/** Where fields of a header begin: name, mode, ids, size, time, checksum, type, link, magic, device, prefix, holes. */
const FIELDS = [0, 100, 108, 116, 124, 136, 156, 157, 257, 329, 337, 345, 386, 398, 482, 483];
const NUMBERS = [
  '77777777777',
  '00000000000',
  '-0000000001',
  '\x80\0\0\0\0\0\0\x7f\xff\xff\xff\xff',
  '\xff\xff\xff\xff',
  ' 12',
];
const WORDS = ['../', '/', '.wh.', '.wh..wh..opq', '..', './', '\0', 'a', 'l/', '%', '=', '\n', '\xff'];
const TYPES = '\0' + '01234567gxLKSDMVNX';

function splice(input: Buffer, at: number, gone: number, put: Buffer): Buffer {
  return Buffer.concat([input.subarray(0, at), put, input.subarray(at + gone)]);
}

/** Some bytes changed, taken out, doubled or brought in from another input. */
export function mutateBytes(input: Buffer, other: Buffer, below: Below): Buffer {
  const at = below(input.length + 1);
  const length = below(Math.min(64, input.length - at) + 1);
  const act = below(5);
  if (act === 0) return splice(input, at, length, Buffer.alloc(0));
  if (act === 1) return splice(input, at, 0, input.subarray(at, at + length));
  if (act === 2) {
    const from = below(other.length + 1);
    return splice(input, at, length, other.subarray(from, from + below(64)));
  }
  if (act === 3) return splice(input, at, below(2), Buffer.from([below(256)]));
  const changed = Buffer.from(input);
  if (changed.length > 0) changed[below(changed.length)] = below(256);
  return changed;
}

/** Blocks of a tar archive changed about, or fields of its headers; sums are right again afterwards, mostly. */
export function mutateArchive(input: Buffer, other: Buffer, below: Below): Buffer {
  const act = below(4);
  if (act === 0) return mended(mutateBytes(input, other, below), below);
  const blocks = Math.max(1, Math.floor(input.length / BLOCK));
  const at = BLOCK * below(blocks);
  if (act === 1) return splice(input, at, below(2) * BLOCK, someBlocks(other, below));
  const changed = Buffer.from(input);
  if (changed.length < at + BLOCK) return changed;
  const field = FIELDS[below(FIELDS.length)] ?? 0;
  const words = field === 0 || field === 157 || field === 345 ? WORDS : NUMBERS;
  if (field === 156) changed.write(TYPES[below(TYPES.length)] ?? '0', at + 156, 'latin1');
  else changed.write(words[below(words.length)] ?? '', at + field + below(act === 2 ? 1 : 8), 'latin1');
  return mended(changed, below);
}

function someBlocks(input: Buffer, below: Below): Buffer {
  const from = BLOCK * below(Math.floor(input.length / BLOCK) + 1);
  return input.subarray(from, from + BLOCK * below(4));
}

/** Writes the sums of all that looks like a header. */
function mended(archive: Buffer, below: Below): Buffer {
  if (below(20) === 0) return archive;
  for (let at = 0; at + BLOCK <= archive.length; at += BLOCK) {
    const block = archive.subarray(at, at + BLOCK);
    if (block.toString('latin1', 257, 260) !== 'ust') continue;
    block.write(`${checksum(block).toString(8).padStart(6, '0')}\0 `, CHECKSUM_AT, 'latin1');
  }
  return archive;
}
