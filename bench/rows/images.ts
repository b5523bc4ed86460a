import { createHash, randomBytes } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { finished } from 'node:stream/promises';
import { type RealRegistry, startRegistry } from '../../test/support/registry.ts';
import { cli, type Row, timed } from '../measure.ts';
import { tarHeader } from '../tar-header.ts';

const LAYERS = 8;
const FILES_PER_LAYER = 1875;
const LAYER_BYTES = 15_750_000;

let dir = '';
let registry: RealRegistry | undefined;
const archive = (): string => join(dir, 'image.tar');
const remoteName = (): string => `${registry?.host ?? ''}/bench:latest`;

/** A layer of many small files, as its tar: sizes vary around the mean, contents do not compress. */
function layer(index: number): Buffer {
  const parts: Buffer[] = [tarHeader(`layer${index}/`, 0, '5')];
  const mean = LAYER_BYTES / FILES_PER_LAYER;
  for (let i = 0; i < FILES_PER_LAYER; i++) {
    if (i % 75 === 0) parts.push(tarHeader(`layer${index}/dir${i / 75}/`, 0, '5'));
    const size = Math.round(mean * (0.25 + (1.5 * ((i * 7919) % 1000)) / 1000));
    parts.push(tarHeader(`layer${index}/dir${Math.floor(i / 75)}/file${i}`, size, '0'), randomBytes(size));
    parts.push(Buffer.alloc((512 - (size % 512)) % 512));
  }
  return Buffer.concat([...parts, Buffer.alloc(1024)]);
}

/** Writes a docker-archive of 8 layers, 126 MB, 15,000 files. */
async function makeArchive(): Promise<void> {
  dir = await mkdtemp(join(tmpdir(), 'gantry-bench-'));
  const out = createWriteStream(archive());
  const diffIds: string[] = [];
  const member = (name: string, data: Buffer): void => {
    out.write(tarHeader(name, data.length, '0'));
    out.write(data);
    out.write(Buffer.alloc((512 - (data.length % 512)) % 512));
  };
  for (let i = 0; i < LAYERS; i++) {
    const data = layer(i);
    diffIds.push(`sha256:${createHash('sha256').update(data).digest('hex')}`);
    member(`l${i}.tar`, data);
  }
  const config = {
    architecture: 'amd64',
    os: 'linux',
    config: { Cmd: ['sh'] },
    rootfs: { type: 'layers', diff_ids: diffIds },
  };
  member('config.json', Buffer.from(JSON.stringify(config)));
  const layers = diffIds.map((_, i) => `l${i}.tar`);
  member(
    'manifest.json',
    Buffer.from(JSON.stringify([{ Config: 'config.json', RepoTags: ['bench:latest'], Layers: layers }])),
  );
  out.end(Buffer.alloc(1024));
  await finished(out);
}

/** Rows about images. The archive is made once and shared. */
export const imageRows: Row[] = [
  {
    name: 'load of 8 layers, 126 MB, 15,000 files',
    rounds: 3,
    budget: 0.35,
    unit: 'ms',
    prepare: async () => {
      if (dir === '') await makeArchive();
    },
    measure: async (target) => {
      const took = await timed(() => cli(target, 'load', '-q', '-i', archive()));
      await cli(target, 'rmi', 'bench:latest');
      return took;
    },
  },
  {
    name: 'save of the same',
    rounds: 3,
    budget: 0.6,
    unit: 'ms',
    prepare: async (target) => {
      if (dir === '') await makeArchive();
      await cli(target, 'load', '-q', '-i', archive());
    },
    measure: (target) => timed(() => cli(target, 'save', '-o', join(dir, `saved-${target.name}.tar`), 'bench:latest')),
    cleanup: async (target) => {
      await cli(target, 'rmi', 'bench:latest');
      await rm(join(dir, `saved-${target.name}.tar`), { force: true });
    },
  },
  {
    name: 'pull of the same from a registry on this host',
    rounds: 3,
    budget: 0.35,
    unit: 'ms',
    prepare: async (target) => {
      if (dir === '') await makeArchive();
      registry ??= await startRegistry();
      await cli(target, 'load', '-q', '-i', archive());
      await cli(target, 'tag', 'bench:latest', remoteName());
      await cli(target, 'push', '-q', remoteName());
      await cli(target, 'rmi', 'bench:latest', remoteName());
    },
    measure: async (target) => {
      const took = await timed(() => cli(target, 'pull', '-q', remoteName()));
      await cli(target, 'rmi', remoteName());
      return took;
    },
    cleanup: async (target) => {
      if (target.name !== 'dockerd') return;
      await registry?.[Symbol.asyncDispose]();
      await rm(dir, { recursive: true, force: true });
    },
  },
];
