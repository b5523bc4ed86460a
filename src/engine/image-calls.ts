import type { Readable } from 'node:stream';
import type { Credentials } from '../spec/auth-config.ts';
import type { ImageConfig, Platform } from '../spec/image.ts';
import type { Filters } from './engine.ts';

/** An image as the engine knows it. */
export interface Image {
  /** Digest of the config, `sha256:…`. */
  readonly id: string;
  readonly config: ImageConfig;
  /** Chain ids of its layers, lowest first. */
  readonly chainIds: readonly string[];
  /** Familiar names, `busybox:latest`, in the order of the full ones. */
  readonly repoTags: readonly string[];
  readonly repoDigests: readonly string[];
  /** Bytes of all its layers, unpacked. */
  readonly size: number;
  /** When a tag last moved to it, RFC 3339; the zero time if never. */
  readonly taggedAt: string;
  /** The image that it was committed on, if that is still here. */
  readonly parent?: string | undefined;
  /** What its name leads to: its manifest, or the index it is a part of. Undefined for one that came without a manifest. */
  readonly target?: ImageTarget | undefined;
}

export interface ImageTarget {
  readonly mediaType: string;
  readonly digest: string;
  /** Bytes. */
  readonly size: number;
}

/** One of the manifests that an image's name stands for. */
export type ImageManifest = {
  readonly descriptor: ImageTarget & {
    readonly annotations: Readonly<Record<string, string>>;
    readonly platform: Platform | undefined;
  };
  /** All that it names is here. */
  readonly available: boolean;
  /** Bytes of it and of what it names, as far as that is here. */
  readonly content: number;
} & (
  | {
      readonly kind: 'image';
      readonly platform: Platform;
      /** The id of the image, when it is here. */
      readonly image: string | undefined;
      /** Bytes of its layers, unpacked. */
      readonly unpacked: number;
    }
  /** `of`: the manifest it is about. */
  | { readonly kind: 'attestation'; readonly of: string }
  | { readonly kind: 'unknown' }
);

/** Progress of a long call, in the API's own terms: one object per line of the reply. */
export interface Progress {
  stream?: string;
  status?: string;
  id?: string;
  progressDetail?: { current?: number; total?: number };
  aux?: unknown;
}

export interface HistoryEntry {
  id: string;
  created: string;
  createdBy: string;
  tags: readonly string[];
  size: number;
  comment: string;
}

/** What the layers of images take on disk, in bytes. A layer that several images stand on is there once. */
export interface ImagesUsage {
  readonly layers: number;
  /** By image id: how much of it other images use, too. */
  readonly shared: ReadonlyMap<string, number>;
}

/** What is pulled or pushed. */
export interface RegistryRequest {
  /** As the user wrote it. */
  readonly image: string;
  /** A tag or a digest; empty: what `image` says, all tags when it says none. */
  readonly tag: string;
  /** The one that is meant of an image for several; a push then sends it as an image of its own. */
  readonly platform?: Platform;
  readonly credentials?: Credentials;
  readonly signal: AbortSignal;
}

/** What an imported file system becomes. */
export interface ImportOptions {
  repo: string;
  tag: string;
  message: string;
  changes: readonly string[];
  platform?: Platform;
  signal: AbortSignal;
}
export interface Images {
  /**
   * With `platform` the one for it among those that `ref` leads to.
   *
   * @param ref a familiar or full name, an id, an id prefix, or name@digest.
   * @throws `not-found` `No such image: x:tag`, or that it is not there for the platform.
   */
  get(ref: string, platform?: Platform): Image;
  /** What the image's name stands for, manifest by manifest. */
  manifests(image: Image): Promise<ImageManifest[]>;
  list(query: { all: boolean; filters: Filters }): Image[];
  history(ref: string, platform?: Platform): HistoryEntry[];
  usage(): ImagesUsage;
  tag(ref: string, repo: string, tag: string): Promise<void>;
  remove(
    ref: string,
    options: { force: boolean; noprune: boolean; platforms?: readonly Platform[] },
  ): Promise<{ untagged: string[]; deleted: string[] }>;
  prune(filters: Filters): Promise<{ untagged: string[]; deleted: string[]; reclaimed: number }>;
  /** With `platform` but the images for it. */
  load(
    archive: Readable,
    options: { quiet: boolean; platform?: Platform; signal: AbortSignal },
  ): AsyncIterable<Progress>;
  /** Checks every name first; the stream then is the archive. */
  save(request: { refs: readonly string[]; platform?: Platform; signal: AbortSignal }): Promise<Readable>;
  /** Brings images here from their registry. */
  pull(request: RegistryRequest): AsyncIterable<Progress>;
  /** Sends images to their registry. */
  push(request: RegistryRequest): AsyncIterable<Progress>;
  /**
   * Looks at all that is stored of images, and with `repair` fetches again what is damaged. A line for each damage; the last one counts
   * them: `aux` is `{blobs, layers, images, damaged, repaired}`.
   */
  check(request: { repair: boolean; signal: AbortSignal }): AsyncIterable<Progress>;
  /** Makes an image of an archive, or of what is at an address. @throws before the first line what can be found out by then. */
  import(source: Readable | string, options: ImportOptions): AsyncIterable<Progress>;
}

/** What a registry has under a name. */
export interface DistributionView {
  readonly mediaType: string;
  readonly digest: string;
  /** Bytes of the manifest or index. */
  readonly size: number;
  readonly platforms: readonly Platform[];
}

/** What a registry's search found. */
export interface SearchResult {
  readonly name: string;
  readonly description: string;
  readonly stars: number;
  readonly official: boolean;
  readonly automated: boolean;
}

/** Registries, as far as nothing is kept of what they say. */
export interface Distribution {
  /** Checks credentials; an identity token to be used instead of them, `''` where there is none. @throws `unauthorized`, `internal`. */
  login(address: string, credentials: Credentials, signal: AbortSignal): Promise<string>;
  /** @throws `invalid`, `unauthorized`, `not-found`, `internal`. */
  inspect(image: string, credentials: Credentials | undefined, signal: AbortSignal): Promise<DistributionView>;
  /**
   * Repositories that a registry finds for a term, which may begin with the registry's host.
   *
   * @param request.limit how many at most, 1 to 100.
   * @throws `invalid`, `internal`.
   */
  search(request: {
    term: string;
    limit: number;
    filters: Filters;
    credentials: Credentials | undefined;
    signal: AbortSignal;
  }): Promise<SearchResult[]>;
}
