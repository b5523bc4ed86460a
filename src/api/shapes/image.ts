import { NEVER } from '../../engine/containers/model.ts';
import type { HistoryEntry, Image, ImageManifest, SearchResult } from '../../engine/engine.ts';
import type { Platform } from '../../spec/image.ts';
import { configShape } from './container-inspect.ts';
import { unixSeconds } from './container-summary.ts';

/** Seconds since the epoch; 0 for an image that does not say when it was made. */
const createdSeconds = (created: string): number => (created === '' ? 0 : unixSeconds(created));

/** Up to 1.42 an image without a name was given one in lists. */
function names(image: Image, api: number) {
  const nameless = image.repoTags.length === 0 && image.repoDigests.length === 0;
  if (nameless && api < 43) return { RepoTags: ['<none>:<none>'], RepoDigests: ['<none>@<none>'] };
  return { RepoTags: image.repoTags, RepoDigests: image.repoDigests };
}

/** From 1.48 on: what the image's name leads to in a registry's terms. */
function descriptor({ target }: Image, api: number) {
  if (api < 48 || target === undefined) return {};
  const { mediaType, digest, size } = target;
  return { Descriptor: { mediaType, digest, size } };
}

/**
 * What an image's name stands for, and all of its bytes, archives included. Source: moby `api/types/image/manifest.go`.
 *
 * @param users ids of the containers made of each image.
 */
export function manifestsShape(manifests: readonly ImageManifest[], users: ReadonlyMap<string, readonly string[]>) {
  const shapes = manifests.map((manifest) => manifestShape(manifest, users));
  return {
    ...(shapes.length === 0 ? {} : { Size: shapes.reduce((sum, { Size }) => sum + Size.Total, 0) }),
    Manifests: shapes,
  };
}

function manifestShape(manifest: ImageManifest, users: ReadonlyMap<string, readonly string[]>) {
  const { mediaType, digest, size, annotations, platform } = manifest.descriptor;
  const unpacked = manifest.kind === 'image' ? manifest.unpacked : 0;
  return {
    ID: digest,
    Descriptor: {
      mediaType,
      digest,
      size,
      ...(Object.keys(annotations).length === 0 ? {} : { annotations }),
      ...(platform === undefined ? {} : { platform: platformShape(platform) }),
    },
    Available: manifest.available,
    Size: { Content: manifest.content, Total: manifest.content + unpacked },
    Kind: manifest.kind,
    ...(manifest.kind === 'image'
      ? {
          ImageData: {
            Platform: platformShape(manifest.platform),
            Containers: users.get(manifest.image ?? '') ?? [],
            Size: { Unpacked: unpacked },
          },
        }
      : {}),
    ...(manifest.kind === 'attestation' ? { AttestationData: { For: manifest.of } } : {}),
  };
}

const platformShape = ({ architecture, os, variant = '' }: Platform) => ({
  architecture,
  os,
  ...(variant === '' ? {} : { variant }),
});

/** One item of `GET /images/json`. `containers` counts those made from it. */
export function imageSummary(image: Image, o: { containers: number; api: number }) {
  const { Labels } = image.config.config;
  return {
    Containers: o.api >= 51 ? o.containers : -1,
    Created: createdSeconds(image.config.created),
    Id: image.id,
    Labels: Object.keys(Labels).length === 0 ? null : Labels,
    ParentId: image.parent ?? '',
    ...names(image, o.api),
    ...descriptor(image, o.api),
    SharedSize: -1,
    Size: image.size,
    ...(o.api < 44 ? { VirtualSize: image.size } : {}),
  };
}

/** `GET /images/{name}/json`. */
export function imageInspect(image: Image, api: number) {
  const { config } = image;
  return {
    Id: image.id,
    ...descriptor(image, api),
    RepoTags: image.repoTags,
    RepoDigests: image.repoDigests,
    Parent: image.parent ?? '',
    Comment: config.comment || (config.history.at(-1)?.comment ?? ''),
    ...(config.created === '' ? {} : { Created: config.created }),
    ...(api < 45 ? { Container: config.container } : {}),
    DockerVersion: config.docker_version,
    Author: config.author,
    Config: configShape(config.config),
    Architecture: config.architecture,
    ...(config.variant === '' ? {} : { Variant: config.variant }),
    Os: config.os,
    Size: image.size,
    ...(api < 44 ? { VirtualSize: image.size } : {}),
    GraphDriver: { Data: {}, Name: 'overlay2' },
    RootFS: { Type: 'layers', Layers: config.rootfs.diff_ids },
    Metadata: { LastTagTime: image.taggedAt || NEVER },
  };
}

/** One item of `GET /images/search`. */
export function searchItem({ stars, official, name, automated, description }: SearchResult) {
  return { star_count: stars, is_official: official, name, is_automated: automated, description };
}

/** One item of `GET /images/{name}/history`. */
export function historyItem(entry: HistoryEntry) {
  return {
    Comment: entry.comment,
    Created: createdSeconds(entry.created),
    CreatedBy: entry.createdBy,
    Id: entry.id,
    Size: entry.size,
    Tags: entry.tags.length === 0 ? null : entry.tags,
  };
}
