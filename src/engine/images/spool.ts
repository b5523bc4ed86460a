import type * as v from 'valibot';
import { JSON_LIMIT } from '../../spec/manifest.ts';
import type { Content } from '../../store/content.ts';
import type { Lease } from '../../store/lease.ts';
import { digestOf } from '../../util/digest.ts';
import { invalid } from '../../util/errors.ts';
import { archiveMembers } from './archive-members.ts';
import { parseJson } from './parse-json.ts';

/** Members up to this size stay in memory, as long as all of them together stay below `MEMORY_LIMIT`. */
const SMALL = 64 * 1024;
const MEMORY_LIMIT = 16 * 1024 * 1024;
const MEMBER_LIMIT = 100_000;
const LINK_LIMIT = 8;

type Spooled = { digest: string; size: number; bytes?: Buffer } | { link: string };

/** An image archive that has been read: its members by name, large ones already blobs of the lease. */
export interface Spool {
  has(path: string): boolean;
  /** Digest and size of a member, links followed. @throws `invalid` when there is none. */
  find(path: string): { digest: string; size: number };
  /** @throws `invalid` when it is missing or larger than 4 MiB. */
  bytes(path: string): Promise<Buffer>;
  /** @throws `invalid` when it is not what the schema says. */
  json<S extends v.GenericSchema>(path: string, schema: S): Promise<v.InferOutput<S>>;
  /** Digest of a member that is now a blob of the lease. */
  blob(path: string, mediaType?: string): Promise<string>;
}

/**
 * Reads an archive to its end, whatever the order of its members. Large members become blobs as they stream by and
 * those that look like layers start unpacking at once.
 */
export async function spoolArchive(
  archive: AsyncIterable<Uint8Array>,
  lease: Lease,
  content: Content,
  signal: AbortSignal,
): Promise<Spool> {
  const members = new Map<string, Spooled>();
  let held = 0;
  for await (const member of archiveMembers(archive)) {
    if (member.type === 'other') continue;
    if (members.has(member.path)) throw invalid(`invalid archive: ${JSON.stringify(member.path)} is in it twice`);
    if (members.size >= MEMBER_LIMIT) throw invalid('invalid archive: too many members');
    if (member.type === 'link') {
      members.set(member.path, { link: member.target });
    } else if (member.size <= SMALL && held + member.size <= MEMORY_LIMIT) {
      const bytes = await collect(member.body);
      held += bytes.length;
      members.set(member.path, { digest: digestOf(bytes), size: bytes.length, bytes });
    } else {
      members.set(member.path, await ingest(member.body, member.size, lease, signal));
    }
  }
  return openSpool(members, lease, content);
}

async function collect(body: AsyncIterable<Buffer>): Promise<Buffer> {
  const pieces: Buffer[] = [];
  for await (const piece of body) pieces.push(piece);
  return Buffer.concat(pieces);
}

async function ingest(body: AsyncIterable<Buffer>, size: number, lease: Lease, signal: AbortSignal): Promise<Spooled> {
  let first = 0;
  async function* watched(): AsyncGenerator<Buffer> {
    for await (const piece of body) {
      first ||= piece[0] ?? 0;
      yield piece;
    }
  }
  const blob = await lease.ingest(watched(), { size, signal });
  // Only metadata is JSON, and a tar archive whose first name starts with a brace just starts later.
  if (String.fromCharCode(first) !== '{') lease.prepare(blob.digest);
  return { digest: blob.digest, size: blob.size };
}

function openSpool(members: ReadonlyMap<string, Spooled>, lease: Lease, content: Content): Spool {
  const resolve = (path: string): Exclude<Spooled, { link: string }> => {
    let name = path;
    for (let hop = 0; hop < LINK_LIMIT; hop++) {
      const member = members.get(name);
      if (member === undefined) throw invalid(`invalid archive: ${JSON.stringify(path)} is missing`);
      if (!('link' in member)) return member;
      name = member.link;
    }
    throw invalid(`invalid archive: ${JSON.stringify(path)} is a chain of links`);
  };
  const bytes = async (path: string): Promise<Buffer> => {
    const member = resolve(path);
    if (member.size > JSON_LIMIT) throw invalid(`invalid archive: ${path} is larger than ${JSON_LIMIT} bytes`);
    return member.bytes ?? (await content.readAll(member.digest, JSON_LIMIT));
  };
  return {
    has: (path) => members.has(path),
    find: resolve,
    bytes,
    json: async (path, schema) => parseJson(await bytes(path), schema, `archive: ${path}`),
    blob: async (path, mediaType = '') => {
      const member = resolve(path);
      if (member.bytes !== undefined) await lease.put(member.bytes, mediaType);
      return member.digest;
    },
  };
}
