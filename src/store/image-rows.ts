import type { Db } from './db.ts';

/** An image as stored: keyed by the digest of its config, whose bytes are a blob. */
export interface ImageRow {
  readonly id: string;
  /** Its topmost layer; undefined for an image without layers. */
  readonly chainId: string | undefined;
  /** Digest of the manifest it came with, a blob. */
  readonly manifest: string | undefined;
  /** When a tag last moved to it, RFC 3339; the zero time if never. */
  readonly taggedAt: string;
  /** The image that it was committed on. */
  readonly parent?: string | undefined;
}

/** A name for an image. `name` is fully qualified, `docker.io/library/busybox`. */
export interface TagRow {
  readonly name: string;
  readonly tag: string;
  readonly image: string;
  /** Digest of the index the tag was given for, where there is one. */
  readonly index?: string | undefined;
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
  setTag(row: TagRow, at: string): string | undefined;
  /** Gives the image that lost it, undefined when there is no such tag. */
  removeTag(name: string, tag: string): string | undefined;
  findTag(name: string, tag: string): TagRow | undefined;
  tagsOf(image: string): TagRow[];
  digestsOf(image: string): RepoDigestRow[];
  addDigest(name: string, digest: string, image: string): void;
  removeDigest(name: string, digest: string): void;
  findDigest(name: string, digest: string): string | undefined;
  /** Removes an image with its tags and digests; the files go with the next `collect()`. */
  remove(id: string): void;
}

const text = (row: Record<string, unknown>, column: string): string => String(row[column]);
const maybe = (row: Record<string, unknown>, column: string): string | undefined =>
  row[column] === null ? undefined : text(row, column);

const imageRow = (row: Record<string, unknown>): ImageRow => ({
  id: text(row, 'id'),
  chainId: maybe(row, 'chain_id'),
  manifest: maybe(row, 'manifest'),
  taggedAt: text(row, 'tagged_at'),
  parent: maybe(row, 'parent'),
});
const tagRow = (row: Record<string, unknown>): TagRow => ({
  name: text(row, 'name'),
  tag: text(row, 'tag'),
  image: text(row, 'image'),
  index: maybe(row, 'idx'),
});
const digestRow = (row: Record<string, unknown>): RepoDigestRow => ({
  name: text(row, 'name'),
  digest: text(row, 'digest'),
  image: text(row, 'image'),
});

function prepare({ sql }: Db) {
  return {
    all: sql.prepare('SELECT id, chain_id, manifest, tagged_at, parent FROM images ORDER BY rowid'),
    find: sql.prepare('SELECT id, chain_id, manifest, tagged_at, parent FROM images WHERE id = ?'),
    insert: sql.prepare(`INSERT INTO images (id, chain_id, manifest, tagged_at, parent) VALUES (?, ?, ?, ?, ?)
      ON CONFLICT (id) DO UPDATE SET manifest = coalesce(excluded.manifest, manifest), tagged_at = excluded.tagged_at,
        parent = coalesce(excluded.parent, parent)`),
    insertBlob: sql.prepare('INSERT OR IGNORE INTO image_blobs (image, blob) VALUES (?, ?)'),
    remove: sql.prepare('DELETE FROM images WHERE id = ?'),
    removeTags: sql.prepare('DELETE FROM tags WHERE image = ?'),
    removeDigests: sql.prepare('DELETE FROM repo_digests WHERE image = ?'),
    tags: sql.prepare('SELECT name, tag, image, idx FROM tags ORDER BY name, tag'),
    tagsOf: sql.prepare('SELECT name, tag, image, idx FROM tags WHERE image = ? ORDER BY name, tag'),
    findTag: sql.prepare('SELECT name, tag, image, idx FROM tags WHERE name = ? AND tag = ?'),
    setTag: sql.prepare(`INSERT INTO tags (name, tag, image, idx) VALUES (?, ?, ?, ?)
      ON CONFLICT (name, tag) DO UPDATE SET image = excluded.image, idx = excluded.idx`),
    tagged: sql.prepare('UPDATE images SET tagged_at = ? WHERE id = ?'),
    removeTag: sql.prepare('DELETE FROM tags WHERE name = ? AND tag = ?'),
    digests: sql.prepare('SELECT name, digest, image FROM repo_digests ORDER BY name, digest'),
    digestsOf: sql.prepare('SELECT name, digest, image FROM repo_digests WHERE image = ? ORDER BY name, digest'),
    findDigest: sql.prepare('SELECT name, digest, image FROM repo_digests WHERE name = ? AND digest = ?'),
    addDigest: sql.prepare(`INSERT INTO repo_digests (name, digest, image) VALUES (?, ?, ?)
      ON CONFLICT (name, digest) DO UPDATE SET image = excluded.image`),
    removeDigest: sql.prepare('DELETE FROM repo_digests WHERE name = ? AND digest = ?'),
  };
}

/** Prepares the statements of the tables `images`, `image_blobs`, `tags` and `repo_digests`. */
export function openImageRows(db: Db): ImageRows {
  const sql = prepare(db);
  const imageOf = (row: Record<string, unknown> | undefined): string | undefined =>
    row === undefined ? undefined : text(row, 'image');
  const together = <T>(work: () => T): T => (db.sql.isTransaction ? work() : db.transaction(work));
  return {
    all: () => sql.all.all().map(imageRow),
    allTags: () => sql.tags.all().map(tagRow),
    allDigests: () => sql.digests.all().map(digestRow),
    find: (id) => {
      const row = sql.find.get(id);
      return row === undefined ? undefined : imageRow(row);
    },
    insert: ({ id, chainId, manifest, taggedAt, parent }, blobs = []) =>
      together(() => {
        sql.insert.run(id, chainId ?? null, manifest ?? null, taggedAt, parent ?? null);
        for (const blob of blobs) sql.insertBlob.run(id, blob);
      }),
    setTag: ({ name, tag, image, index }, at) =>
      together(() => {
        const before = imageOf(sql.findTag.get(name, tag));
        sql.setTag.run(name, tag, image, index ?? null);
        sql.tagged.run(at, image);
        return before === image ? undefined : before;
      }),
    removeTag: (name, tag) =>
      together(() => {
        const before = imageOf(sql.findTag.get(name, tag));
        sql.removeTag.run(name, tag);
        return before;
      }),
    findTag: (name, tag) => {
      const row = sql.findTag.get(name, tag);
      return row === undefined ? undefined : tagRow(row);
    },
    tagsOf: (image) => sql.tagsOf.all(image).map(tagRow),
    digestsOf: (image) => sql.digestsOf.all(image).map(digestRow),
    addDigest: (name, digest, image) => void sql.addDigest.run(name, digest, image),
    removeDigest: (name, digest) => void sql.removeDigest.run(name, digest),
    findDigest: (name, digest) => imageOf(sql.findDigest.get(name, digest)),
    remove: (id) =>
      together(() => {
        sql.removeTags.run(id);
        sql.removeDigests.run(id);
        sql.remove.run(id);
      }),
  };
}
