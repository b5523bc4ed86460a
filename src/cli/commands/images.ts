import type { Command } from '../command.ts';
import { bool, list, text } from '../flags/flag-spec.ts';
import { filter, filterMap } from '../flags/values.ts';
import { TABLE_FORMAT_DOC } from '../format/format-doc.ts';
import { DIGEST_TABLE, IMAGE_TABLE, imageRow } from '../format/image-row.ts';
import { printRows } from '../format/print-rows.ts';
import { linesOf } from '../image-lines.ts';

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
