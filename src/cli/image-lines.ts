import type { ImageSummary } from '../client/types.ts';
import type { ImageLine } from './format/image-row.ts';

const NONE = '<none>';

function splitTag(reference: string): [string, string] {
  const at = reference.lastIndexOf(':');
  return [reference.slice(0, at), reference.slice(at + 1)];
}

/** What `system df` tells of an image besides. */
function usageOf({ Containers, Size, SharedSize }: ImageSummary) {
  const shared = SharedSize < 0 ? undefined : SharedSize;
  return { containers: Containers, sharedSize: shared, uniqueSize: shared === undefined ? undefined : Size - shared };
}

/** The lines of an image: one for each tag, with `digests` one for each digest. `usage`: with who uses how much of it. */
export function linesOf(image: ImageSummary, digests: boolean, usage = false): ImageLine[] {
  const base = {
    id: image.Id,
    created: image.Created,
    size: image.Size,
    virtualSize: image.VirtualSize ?? image.Size,
    ...(usage ? usageOf(image) : {}),
  };
  const tags = (image.RepoTags ?? []).filter((tag) => tag !== '<none>:<none>').map(splitTag);
  const digestOf = new Map<string, string[]>();
  for (const reference of (image.RepoDigests ?? []).filter((one) => one !== '<none>@<none>')) {
    const [repository = '', digest = ''] = reference.split('@');
    digestOf.set(repository, [...(digestOf.get(repository) ?? []), digest]);
  }
  const lines: ImageLine[] = [];
  for (const [repository, tag] of tags) {
    const known = digests ? (digestOf.get(repository) ?? [NONE]) : [digestOf.get(repository)?.[0] ?? NONE];
    for (const digest of known) lines.push({ ...base, repository, tag, digest });
  }
  const tagged = new Set(tags.map(([repository]) => repository));
  for (const [repository, known] of digestOf) {
    if (tagged.has(repository)) continue;
    for (const digest of digests ? known : known.slice(0, 1)) lines.push({ ...base, repository, tag: NONE, digest });
  }
  return lines.length > 0 ? lines : [{ ...base, repository: NONE, tag: NONE, digest: NONE }];
}
