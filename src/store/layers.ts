import type { Readable } from 'node:stream';

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
  /** Digest of the archive it came from, as it came. */
  readonly blob: string;
}

/** What a layer is made from: a blob that is already in the content store, compressed or not. */
export interface LayerSource {
  readonly blob: string;
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
  asTar(chainId: string): Readable;
}
