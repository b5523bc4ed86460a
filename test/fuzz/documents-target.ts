import { Readable } from 'node:stream';
import { archivedImages } from '../../src/engine/images/archive-images.ts';
import { spoolArchive } from '../../src/engine/images/spool.ts';
import type { Content } from '../../src/store/content.ts';
import type { Lease } from '../../src/store/lease.ts';
import { digestOf } from '../../src/util/digest.ts';
import { kindOf } from '../../src/util/errors.ts';
import { archiveOf } from '../../src/util/tar/tar-fixture.ts';
import type { FuzzTarget } from './fuzz-target.ts';
import { mutateBytes } from './mutate.ts';

const layer = archiveOf([{ name: 'f', data: 'x' }]);
const config = JSON.stringify({
  architecture: 'amd64',
  os: 'linux',
  config: { Cmd: ['sh'], Env: ['A=b'], ExposedPorts: { '80/tcp': {} }, Healthcheck: { Test: ['NONE'] } },
  rootfs: { type: 'layers', diff_ids: [digestOf(layer)] },
  history: [{ created: '2024-01-02T03:04:05Z', created_by: 'x' }],
});
const blob = (text: string | Buffer, mediaType: string): Record<string, unknown> => ({
  mediaType,
  digest: digestOf(Buffer.from(text)),
  size: text.length,
});
const manifest = JSON.stringify({
  schemaVersion: 2,
  mediaType: 'application/vnd.oci.image.manifest.v1+json',
  config: blob(config, 'application/vnd.oci.image.config.v1+json'),
  layers: [blob(layer, 'application/vnd.oci.image.layer.v1.tar')],
});
const index = JSON.stringify({
  schemaVersion: 2,
  manifests: [
    {
      ...blob(manifest, 'application/vnd.oci.image.manifest.v1+json'),
      annotations: { 'io.containerd.image.name': 'docker.io/library/x:1' },
      platform: { os: 'linux', architecture: 'amd64' },
    },
  ],
});
const entries = JSON.stringify([{ Config: 'config.json', RepoTags: ['x:1'], Layers: ['layer.tar'] }]);

const SEPARATOR = '\u0001';
const member = (bytes: string | Buffer): string => `blobs/sha256/${digestOf(Buffer.from(bytes)).slice(7)}`;

/** The four documents of an image archive, each at every place where it is looked for. */
function archiveWith(input: Buffer): Buffer {
  const [first = '', second = '', third = '', fourth = ''] = input.toString('latin1').split(SEPARATOR);
  const [top, found, described, listed] = [first, second, third, fourth].map((text) => Buffer.from(text, 'latin1'));
  return archiveOf([
    ...(top?.length === 0 ? [] : [{ name: 'index.json', data: top ?? '' }]),
    ...(listed?.length === 0 ? [] : [{ name: 'manifest.json', data: listed ?? '' }]),
    { name: member(manifest), data: found ?? '' },
    { name: member(config), data: described ?? '' },
    { name: 'config.json', data: described ?? '' },
    { name: member(layer), data: layer },
    { name: 'layer.tar', data: layer },
  ]);
}

/** A store that holds nothing: whatever is large enough to go there is only counted. */
function nowhere(): { lease: Lease; content: Content } {
  const ingest: Lease['ingest'] = async (source) => {
    const pieces: Uint8Array[] = [];
    for await (const piece of source) pieces.push(piece as Uint8Array);
    const bytes = Buffer.concat(pieces);
    return { digest: digestOf(bytes), size: bytes.length, mediaType: '' };
  };
  const lease = { ingest, prepare: () => {} } as unknown as Lease;
  return { lease, content: { readAll: async () => Buffer.alloc(0) } as unknown as Content };
}

/** Any bytes as the documents of an image archive: what is no image is refused in one of these ways. */
export const documentsTarget: FuzzTarget = {
  name: 'documents',
  files: /\/src\/(?:engine\/images|spec|util)\//,
  seeds: [
    Buffer.from([index, manifest, config, entries].join(SEPARATOR)),
    Buffer.from([index, manifest, config].join(SEPARATOR)),
    Buffer.from(['', '', config, entries].join(SEPARATOR)),
  ],
  mutate: mutateBytes,
  run: async (input) => {
    const { lease, content } = nowhere();
    try {
      const archive = Readable.from([archiveWith(input)]);
      const spool = await spoolArchive(archive, lease, content, new AbortController().signal);
      await archivedImages(spool, { os: 'linux', architecture: 'amd64' });
    } catch (error) {
      if (!['invalid', 'unsupported', 'not-found'].includes(kindOf(error))) throw error;
    }
  },
};
