import * as v from 'valibot';
import { ImageConfigSchema } from '../../spec/image.ts';
import { mediaTypes } from '../../spec/manifest.ts';
import type { Content } from '../../store/content.ts';
import type { Layer } from '../../store/layers.ts';
import type { Lease } from '../../store/lease.ts';
import type { StoredImage } from './catalogue.ts';
import { manifestOfLayers } from './layer-manifest.ts';
import { NEVER_TAGGED } from './load.ts';

/** An image of unpacked layers and the bytes of a config written here, with a manifest, which is left to be added. */
export async function putConfig(
  content: Content,
  lease: Lease,
  layers: readonly Layer[],
  bytes: Buffer,
): Promise<StoredImage> {
  const { digest } = await lease.put(bytes, mediaTypes.dockerConfig);
  const archives = layers.map(({ blob }) => blob);
  return {
    id: digest,
    config: v.parse(ImageConfigSchema, JSON.parse(bytes.toString('utf8'))),
    chainIds: layers.map(({ chainId }) => chainId),
    manifest: await lease.put(await manifestOfLayers(content, digest, archives), mediaTypes.ociManifest),
    size: layers.reduce((sum, { size }) => sum + size, 0),
    taggedAt: NEVER_TAGGED,
  };
}
