import { Readable } from 'node:stream';
import { createGzip } from 'node:zlib';
import { mediaTypes } from '../spec/manifest.ts';
import { type Codec, expand } from '../util/compression.ts';
import type { Blob, Content } from './content.ts';
import type { Db } from './db.ts';
import { layerCodec } from './layer-codec.ts';
import type { Layer } from './layers.ts';
import type { Lease } from './lease.ts';

/** Layers as registries take them: compressed with gzip or zstd. What came so is sent as it came; what did not is compressed once. */
export interface PackedLayers {
  /**
   * The blob to send for a layer, with its media type. It is held by the lease; `remember` is to be called in its commit.
   *
   * @throws `not-found`; `internal` when the disk is full.
   */
  pack(layer: Layer, lease: Lease, signal: AbortSignal): Promise<Packed>;
  /** Digests of what was compressed here, by diff id. */
  all(): ReadonlyMap<string, string>;
}

export interface Packed {
  readonly blob: Blob;
  readonly mediaType: string;
  remember(): void;
}

export function openPackedLayers({ sql }: Db, content: Content): PackedLayers {
  const find = sql.prepare('SELECT blob FROM packed_layers WHERE diff_id = ?');
  const insert = sql.prepare('INSERT OR REPLACE INTO packed_layers (diff_id, blob) VALUES (?, ?)');
  const all = sql.prepare('SELECT diff_id, blob FROM packed_layers');
  const stored = (diffId: string): Blob | undefined => {
    const digest = find.get(diffId)?.['blob'];
    return digest === undefined ? undefined : content.find(String(digest));
  };
  return {
    all: () => new Map(all.all().map((row) => [String(row['diff_id']), String(row['blob'])])),
    pack: async ({ blob: digest, diffId }, lease, signal) => {
      lease.hold(digest);
      const own = mediaTypeOf(await layerCodec(content, digest));
      const known = own === undefined ? stored(diffId) : content.find(digest);
      if (known !== undefined) lease.hold(known.digest);
      const blob = known ?? (await compress(content, digest, lease, signal));
      return {
        blob,
        mediaType: own ?? mediaTypes.dockerLayer,
        remember: own === undefined ? () => void insert.run(diffId, blob.digest) : () => {},
      };
    },
  };
}

/** Undefined for what registries do not take. */
function mediaTypeOf(codec: Codec): string | undefined {
  if (codec === 'gzip') return mediaTypes.dockerLayer;
  return codec === 'zstd' ? `${mediaTypes.ociLayer}+zstd` : undefined;
}

async function compress(content: Content, digest: string, lease: Lease, signal: AbortSignal): Promise<Blob> {
  const { chunks } = await expand(content.open(digest));
  const packed = Readable.from(chunks, { objectMode: false }).compose(createGzip({ chunkSize: 1 << 18 }));
  return await lease.ingest(packed, { mediaType: mediaTypes.dockerLayer, signal });
}
