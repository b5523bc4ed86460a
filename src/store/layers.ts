import { join } from 'node:path';
import { Readable } from 'node:stream';
import { expand } from '../util/compression.ts';
import { notFound } from '../util/errors.ts';
import type { Content } from './content.ts';
import type { LayerRows } from './layer-rows.ts';

/** An unpacked layer. */
export interface Layer {
  readonly chainId: string;
  readonly diffId: string;
  /** Chain id of the layer below. */
  readonly parent: string | undefined;
  /** Its short name under `l/`. */
  readonly link: string;
  /** Bytes of its regular files. */
  readonly size: number;
  /** Hides all layers below it. */
  readonly opaque: boolean;
  /** Digest of the archive it came from, as it came. */
  readonly blob: string;
}

/** What a layer is made from: a blob of the content store, compressed or not. */
export interface LayerSource {
  readonly blob: string;
  /** When the blob is there; unpacking waits for it. Undefined: it is there. */
  readonly ready?: Promise<unknown>;
  /** Digest of the uncompressed archive, as the image config tells it; checked while unpacking. */
  readonly diffId: string;
}

/** Unpacked layers by chain id. They come in through a {@link Lease}. */
export interface Layers {
  find(chainId: string): Layer | undefined;
  /** @throws `not-found` */
  get(chainId: string): Layer;
  /** The layers of a chain, lowest first. @throws `not-found` */
  chain(chainId: string): Layer[];
  /** Directories for an overlay mount, top first: short absolute paths of links. @throws `not-found` */
  lowerDirs(chainId: string): string[];
  /** Bytes of the regular files of the whole chain. */
  chainSize(chainId: string): number;
  /** A layer whose difference is `diffId`, on any parent: its blob need not be fetched again. */
  findByDiffId(diffId: string): Layer | undefined;
  /** The layer's uncompressed archive, byte for byte as it came. @throws `not-found` */
  asTar(chainId: string): Promise<Readable>;
}

/** @param links absolute path of the directory of short names */
export function openLayers(rows: LayerRows, content: Content, links: string): Layers {
  const get = (chainId: string): Layer => {
    const layer = rows.find(chainId);
    if (layer === undefined) throw notFound(`layer ${chainId} does not exist`);
    return layer;
  };
  const chain = (chainId: string): Layer[] => {
    const layers: Layer[] = [];
    for (let id: string | undefined = chainId; id !== undefined; ) {
      const layer = get(id);
      layers.unshift(layer);
      id = layer.parent;
    }
    return layers;
  };
  const lowerDirs = (chainId: string): string[] => {
    const layers = chain(chainId);
    const visible = layers.slice(
      Math.max(
        0,
        layers.findLastIndex(({ opaque }) => opaque),
      ),
    );
    return visible.toReversed().map(({ link }) => join(links, link));
  };
  return {
    find: (chainId) => rows.find(chainId),
    get,
    chain,
    lowerDirs,
    chainSize: (chainId) => chain(chainId).reduce((bytes, { size }) => bytes + size, 0),
    findByDiffId: (diffId) => rows.findByDiffId(diffId),
    asTar: async (chainId) => {
      const { chunks } = await expand(content.open(get(chainId).blob));
      return Readable.from(chunks, { objectMode: false });
    },
  };
}
