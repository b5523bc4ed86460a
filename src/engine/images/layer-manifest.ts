import { mediaTypes } from '../../spec/manifest.ts';
import type { Blob, Content } from '../../store/content.ts';
import { layerCodec } from '../../store/layer-codec.ts';
import { internal } from '../../util/errors.ts';

/** The bytes of a manifest for a config and layers as they are stored, lowest first. @throws `internal` when one is not. */
export async function manifestOfLayers(content: Content, config: string, layers: readonly string[]): Promise<Buffer> {
  const { digest, size } = stored(content, config);
  const described = await Promise.all(layers.map((layer) => describeLayer(content, stored(content, layer))));
  const manifest = {
    schemaVersion: 2,
    mediaType: mediaTypes.ociManifest,
    config: { mediaType: mediaTypes.ociConfig, digest, size },
    layers: described,
  };
  return Buffer.from(JSON.stringify(manifest));
}

function stored(content: Content, digest: string): Blob {
  const blob = content.find(digest);
  if (blob === undefined) throw internal(`blob ${digest} is missing`);
  return blob;
}

async function describeLayer(content: Content, { digest, size }: Blob): Promise<object> {
  const codec = await layerCodec(content, digest);
  const suffix = codec === 'gzip' || codec === 'zstd' ? `+${codec}` : '';
  return { mediaType: `${mediaTypes.ociLayer}${suffix}`, digest, size };
}
