import { digestOf } from '../../src/util/digest.ts';
import { archiveOf } from '../../src/util/tar/tar-fixture.ts';

/** A docker-archive of one image with these layers, compressed or not. @param diffIds of the layers without compression. */
export function imageArchive(
  name: string,
  layers: readonly Buffer[],
  diffIds: readonly string[] = layers.map(digestOf),
): Buffer {
  const config = {
    architecture: process.arch === 'arm64' ? 'arm64' : 'amd64',
    os: 'linux',
    config: { Cmd: ['sh'] },
    rootfs: { type: 'layers', diff_ids: diffIds },
  };
  const Layers = layers.map((_, at) => `layer-${at}.tar`);
  return archiveOf([
    ...layers.map((data, at) => ({ name: `layer-${at}.tar`, data })),
    { name: 'config.json', data: JSON.stringify(config) },
    { name: 'manifest.json', data: JSON.stringify([{ Config: 'config.json', RepoTags: [name], Layers }]) },
  ]);
}
