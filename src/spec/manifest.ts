import * as v from 'valibot';
import { isDigest } from '../util/digest.ts';
import { int, list, mapOf, text } from './json.ts';

/** Media types of manifests and layers, the OCI's and Docker's. */
export const mediaTypes = {
  ociIndex: 'application/vnd.oci.image.index.v1+json',
  ociManifest: 'application/vnd.oci.image.manifest.v1+json',
  ociConfig: 'application/vnd.oci.image.config.v1+json',
  ociLayer: 'application/vnd.oci.image.layer.v1.tar',
  dockerList: 'application/vnd.docker.distribution.manifest.list.v2+json',
  dockerManifest: 'application/vnd.docker.distribution.manifest.v2+json',
  dockerConfig: 'application/vnd.docker.container.image.v1+json',
  /** Compressed with gzip. */
  dockerLayer: 'application/vnd.docker.image.rootfs.diff.tar.gzip',
} as const;

const INDEXES: ReadonlySet<string> = new Set([mediaTypes.ociIndex, mediaTypes.dockerList]);
const MANIFESTS: ReadonlySet<string> = new Set([mediaTypes.ociManifest, mediaTypes.dockerManifest]);

export const isIndexType = (mediaType: string): boolean => INDEXES.has(mediaType);
export const isManifestType = (mediaType: string): boolean => MANIFESTS.has(mediaType);

/** Larger manifests, indexes and configs are refused. */
export const JSON_LIMIT = 4 * 1024 * 1024;

export const PlatformSchema = v.object({ architecture: text(), os: text(), variant: text() });

/** OCI image-spec `descriptor.md`. */
export const DescriptorSchema = v.looseObject({
  mediaType: text(),
  digest: v.pipe(v.string(), v.check(isDigest, 'unsupported or malformed digest')),
  size: int(),
  annotations: mapOf(v.string()),
  platform: v.optional(v.nullable(PlatformSchema), null),
});
export type Descriptor = v.InferOutput<typeof DescriptorSchema>;

/** 0 is what Go programs write that do not fill it in; Docker takes it. */
const version2 = v.optional(v.picklist([0, 2], 'only schema version 2 is supported'), 0);

/** OCI image-spec `manifest.md` and Docker's manifest v2, schema 2. */
export const ManifestSchema = v.looseObject({
  schemaVersion: version2,
  mediaType: text(),
  config: DescriptorSchema,
  layers: v.array(DescriptorSchema),
});
export type Manifest = v.InferOutput<typeof ManifestSchema>;

/** OCI image-spec `image-index.md` and Docker's manifest list. */
export const IndexSchema = v.looseObject({
  schemaVersion: version2,
  mediaType: text(),
  manifests: v.array(DescriptorSchema),
});
export type Index = v.InferOutput<typeof IndexSchema>;

/** `manifest.json` of a docker-archive: one entry an image, paths are members of the archive. */
export const ArchiveManifestSchema = v.array(
  v.looseObject({ Config: v.string(), RepoTags: list(v.string()), Layers: list(v.string()) }),
);
