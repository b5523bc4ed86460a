import { NEVER } from '../../engine/containers/model.ts';
import type { HistoryEntry, Image } from '../../engine/engine.ts';
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
