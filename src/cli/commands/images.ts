import type { ImageSummary } from '../../client/types.ts';
import type { Command } from '../command.ts';
import { bool, list, text } from '../flags/flag-spec.ts';
import { filter, filterMap } from '../flags/values.ts';
import { TABLE_FORMAT_DOC } from '../format/format-doc.ts';
import { DIGEST_TABLE, IMAGE_TABLE, type ImageLine, imageRow } from '../format/image-row.ts';
import { printRows } from '../format/print-rows.ts';

export const images: Command = {
  use: '[OPTIONS] [REPOSITORY[:TAG]]',
  short: 'List images',
  aliases: ['image ls', 'image list', 'images'],
  args: [0, 1],
  flags: [
    bool('a, all', 'Show all images (default hides intermediate images)'),
    bool('digests', 'Show digests'),
    list('f, filter', 'Filter output based on conditions provided', { type: 'filter', parse: filter }),
    text('format', TABLE_FORMAT_DOC),
    bool('no-trunc', "Don't truncate output"),
    bool('q, quiet', 'Only show image IDs'),
  ],
  async run({ client, out }, flags) {
    const name = flags.args[0];
    const filters = filterMap(flags.list('filter'));
    if (name !== undefined) filters['reference'] = [...(filters['reference'] ?? []), name];
    const found = await client.images.list({ all: flags.bool('all'), filters });
    const digests = flags.bool('digests') || /\{\{[^}]*\.Digest\b/.test(flags.text('format'));
    const lines = found.flatMap((image) => linesOf(image, digests));
    const quiet = flags.bool('quiet') && /^(table)?$/.test(flags.text('format'));
    const table = digests ? DIGEST_TABLE : IMAGE_TABLE;
    out(printRows(imageRow(!flags.bool('no-trunc')), lines, quiet ? '{{.ID}}' : flags.text('format'), table));
    return 0;
  },
};

const NONE = '<none>';

function splitTag(reference: string): [string, string] {
  const at = reference.lastIndexOf(':');
  return [reference.slice(0, at), reference.slice(at + 1)];
}

function linesOf(image: ImageSummary, digests: boolean): ImageLine[] {
  const base = { id: image.Id, created: image.Created, size: image.Size, virtualSize: image.VirtualSize ?? image.Size };
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
