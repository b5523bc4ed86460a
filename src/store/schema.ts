/**
 * The schema's history: script n brings version n to n + 1. A released script is never edited; a change is a new one.
 *
 * Times are RFC 3339 strings in UTC, digests are `sha256:<hex>`, structured columns are JSON.
 */
export const migrations: readonly string[] = [
  `
  -- A blob in content/sha256. Without a row the file is garbage.
  CREATE TABLE blobs (digest TEXT PRIMARY KEY, size INTEGER NOT NULL, media_type TEXT NOT NULL) STRICT;

  -- A layer unpacked at layers/<hex of chain_id>; link is its short name under l/.
  CREATE TABLE layers (
    chain_id TEXT PRIMARY KEY,
    diff_id TEXT NOT NULL,
    parent TEXT REFERENCES layers (chain_id),
    link TEXT NOT NULL UNIQUE,
    size INTEGER NOT NULL,      -- bytes of the regular files in it
    opaque INTEGER NOT NULL,    -- 1: hides all layers below
    blob TEXT NOT NULL REFERENCES blobs (digest)  -- the archive it came from, as it came
  ) STRICT;
  CREATE INDEX layers_by_diff ON layers (diff_id);
  CREATE INDEX layers_by_blob ON layers (blob);

  -- An image, keyed by the digest of its config, whose bytes are a blob.
  CREATE TABLE images (
    id TEXT PRIMARY KEY REFERENCES blobs (digest),
    chain_id TEXT REFERENCES layers (chain_id),  -- null: an image without layers
    manifest TEXT REFERENCES blobs (digest),     -- null: came without one
    tagged_at TEXT NOT NULL
  ) STRICT;

  -- Blobs an image needs besides its config, its manifest and the archives of its layers.
  CREATE TABLE image_blobs (
    image TEXT NOT NULL REFERENCES images (id) ON DELETE CASCADE,
    blob TEXT NOT NULL REFERENCES blobs (digest),
    PRIMARY KEY (image, blob)
  ) STRICT;

  -- name is fully qualified, e.g. docker.io/library/busybox.
  CREATE TABLE tags (
    name TEXT NOT NULL, tag TEXT NOT NULL, image TEXT NOT NULL REFERENCES images (id),
    PRIMARY KEY (name, tag)
  ) STRICT;
  CREATE TABLE repo_digests (
    name TEXT NOT NULL, digest TEXT NOT NULL, image TEXT NOT NULL REFERENCES images (id),
    PRIMARY KEY (name, digest)
  ) STRICT;

  CREATE TABLE containers (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,  -- without the leading slash
    image TEXT NOT NULL,        -- image id; the image may be gone after a forced removal
    created TEXT NOT NULL,
    spec TEXT NOT NULL,         -- what was asked for: config, host config, networks; changes by rename and update only
    state TEXT NOT NULL         -- what was last seen of it; see engine/containers/model.ts
  ) STRICT;

  -- Small facts about this engine, e.g. its id.
  CREATE TABLE facts (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT
  `,
  `
  -- A volume whose content is at volumes/<name>/_data.
  CREATE TABLE volumes (
    name TEXT PRIMARY KEY,
    created TEXT NOT NULL,
    labels TEXT NOT NULL,       -- JSON: a map, or null when none was given
    anonymous INTEGER NOT NULL  -- 1: nobody named it
  ) STRICT
  `,
  `
  -- Repositories that have a blob, by their full names.
  CREATE TABLE blob_origins (
    blob TEXT NOT NULL REFERENCES blobs (digest) ON DELETE CASCADE,
    name TEXT NOT NULL,
    PRIMARY KEY (blob, name)
  ) STRICT;

  -- The archive of a layer that came uncompressed, as it was compressed for a registry.
  CREATE TABLE packed_layers (diff_id TEXT PRIMARY KEY, blob TEXT NOT NULL REFERENCES blobs (digest) ON DELETE CASCADE) STRICT
  `,
  `
  -- What the driver was told: JSON of a map, or null.
  ALTER TABLE volumes ADD COLUMN options TEXT NOT NULL DEFAULT 'null'
  `,
  `
  -- The image that this one was committed on, which may be gone after a forced removal; null: it came as it is.
  ALTER TABLE images ADD COLUMN parent TEXT
  `,
  `
  -- Indexes that names lead to: which image of the store stands in them for which of their manifests.
  CREATE TABLE index_images (
    idx TEXT NOT NULL REFERENCES blobs (digest),
    manifest TEXT NOT NULL REFERENCES blobs (digest),
    image TEXT NOT NULL REFERENCES images (id) ON DELETE CASCADE,
    PRIMARY KEY (idx, manifest)
  ) STRICT;
  -- The index that a tag was given for, of which its image is a part; null: the tag was given for the image alone.
  ALTER TABLE tags ADD COLUMN idx TEXT
  `,
  `
  -- local, or the name of the plugin that has its content.
  ALTER TABLE volumes ADD COLUMN driver TEXT NOT NULL DEFAULT 'local'
  `,
];
