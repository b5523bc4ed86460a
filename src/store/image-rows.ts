/** An image as stored: keyed by the digest of its config, whose bytes are a blob. */
export interface ImageRow {
  readonly id: string;
  /** Its topmost layer; undefined for an image without layers. */
  readonly chainId: string | undefined;
  /** Digest of the manifest it came with, a blob. */
  readonly manifest: string | undefined;
  /** When a tag last moved to it, RFC 3339; the zero time if never. */
  readonly taggedAt: string;
}

/** A name for an image. `name` is fully qualified, `docker.io/library/busybox`. */
export interface TagRow {
  readonly name: string;
  readonly tag: string;
  readonly image: string;
}

export interface RepoDigestRow {
  readonly name: string;
  readonly digest: string;
  readonly image: string;
}

/**
 * The tables of images and their names. Writes are rows only: call them inside {@link Lease.commit} or
 * `store.db.transaction`, so that everything which belongs together appears at once. Outside, each is its own transaction.
 */
export interface ImageRows {
  all(): ImageRow[];
  allTags(): TagRow[];
  allDigests(): RepoDigestRow[];
  find(id: string): ImageRow | undefined;
  /** Adds or completes an image. `blobs`: digests it needs besides its config, manifest and layers, kept from collection. */
  insert(row: ImageRow, blobs?: readonly string[]): void;
  /** Moves the tag here; gives the image that had it before, undefined if none or the same. `at`: RFC 3339. */
  setTag(name: string, tag: string, image: string, at: string): string | undefined;
  /** Gives the image that lost it, undefined when there is no such tag. */
  removeTag(name: string, tag: string): string | undefined;
  findTag(name: string, tag: string): string | undefined;
  tagsOf(image: string): TagRow[];
  digestsOf(image: string): RepoDigestRow[];
  addDigest(name: string, digest: string, image: string): void;
  removeDigest(name: string, digest: string): void;
  findDigest(name: string, digest: string): string | undefined;
  /** Removes an image with its tags and digests; the files go with the next `collect()`. */
  remove(id: string): void;
}
