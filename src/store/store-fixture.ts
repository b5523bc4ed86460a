import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';
import { gzipSync } from 'node:zlib';
import { digestOf } from '../util/digest.ts';
import { silentLog } from '../util/log.ts';
import { archiveOf, type Member } from '../util/tar/tar-fixture.ts';
import type { Layer } from './layers.ts';
import type { Lease } from './lease.ts';
import { openStore, type Store } from './store.ts';

// What tests of the store share.

/** A new directory that goes when the tests of the file have run. */
export function tempDir(): string {
  const dir = mkdtempSync(join(tmpdir(), 'gantry-store-'));
  after(() => rmSync(dir, { recursive: true, force: true }));
  return dir;
}

export const openTemp = (): Promise<Store> => openStore({ dataRoot: tempDir(), log: silentLog() });

export interface Archive {
  readonly bytes: Buffer;
  readonly digest: string;
  readonly diffId: string;
}

/** A layer's archive as a registry would send it. */
export function layerArchive(members: readonly Member[], compressed = false): Archive {
  const plain = archiveOf(members);
  const bytes = compressed ? gzipSync(plain) : plain;
  return { bytes, digest: digestOf(bytes), diffId: digestOf(plain) };
}

export async function addLayers(lease: Lease, archives: readonly Archive[]): Promise<Layer[]> {
  for (const { bytes } of archives) await lease.put(bytes, '');
  return lease.unpack(archives.map(({ digest, diffId }) => ({ blob: digest, diffId })));
}

/** Makes an image of these layers; gives its id. */
export async function addImage(store: Store, tag: string, archives: readonly Archive[]): Promise<string> {
  await using lease = store.lease();
  const layers = await addLayers(lease, archives);
  const config = await lease.put(
    Buffer.from(JSON.stringify({ tag, diffIds: archives.map(({ diffId }) => diffId) })),
    '',
  );
  await lease.commit(() => {
    store.images.insert({ id: config.digest, chainId: layers.at(-1)?.chainId, manifest: undefined, taggedAt: '' });
    store.images.setTag({ name: 'docker.io/library/x', tag, image: config.digest }, '2026-01-01T00:00:00Z');
  });
  return config.digest;
}
