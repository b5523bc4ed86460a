import { execFileSync } from 'node:child_process';
import { NO_XATTRS, type TarEntry } from './entry.ts';
import { padding } from './header.ts';
import { encodeHeader, TAR_END } from './tar-writer.ts';

// What tests of archives share.

/** A member told by what matters about it; a string or bytes as `data` make it a file. */
export type Member = Partial<TarEntry> & { name: string; data?: string | Buffer };

export function entryOf({ data = '', ...member }: Member): TarEntry {
  return {
    type: 'file',
    linkName: '',
    mode: 0o644,
    uid: 0,
    gid: 0,
    mtime: { seconds: 1_600_000_000, nanos: 0 },
    devMajor: 0,
    devMinor: 0,
    xattrs: NO_XATTRS,
    size: Buffer.from(data).length,
    ...member,
  };
}

/** The bytes of an archive. */
export function archiveOf(members: readonly Member[]): Buffer {
  const pieces = members.flatMap((member) => {
    const data = Buffer.from(member.data ?? '');
    return [encodeHeader(entryOf(member)), data, Buffer.alloc(padding(data.length))];
  });
  return Buffer.concat([...pieces, TAR_END]);
}

/** Hands bytes out in pieces of `size`. */
export async function* inPieces(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

/** What makes GNU tar write a tree with everything a file system keeps about it, the same bytes each time. */
export const SNAPSHOT_OPTIONS: readonly string[] = [
  '--sort=name',
  '--numeric-owner',
  '--xattrs',
  '--xattrs-include=*',
  '--format=posix',
  '--pax-option=exthdr.name=x,delete=atime,delete=ctime',
  '-cf',
  '-',
  '.',
];

/** A directory's whole content with everything a file system keeps about it, as comparable bytes. */
export function snapshot(dir: string): Buffer {
  return execFileSync('tar', ['-C', dir, ...SNAPSHOT_OPTIONS], { maxBuffer: 1 << 29 });
}

/** A repeatable source of random numbers below `limit` (mulberry32). */
export function seeded(seed: number): (limit: number) => number {
  let state = seed;
  return (limit) => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) % limit;
  };
}
