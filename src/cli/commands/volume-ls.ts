import type { Command } from '../command.ts';
import { bool, list, text } from '../flags/flag-spec.ts';
import { filter, filterMap } from '../flags/values.ts';
import { volumeRow } from '../format/disk-usage-rows.ts';
import { TABLE_FORMAT_DOC } from '../format/format-doc.ts';
import { printRows } from '../format/print-rows.ts';

export const volumeLs: Command = {
  use: '[OPTIONS]',
  short: 'List volumes',
  aliases: ['volume ls', 'volume list'],
  args: [0, 0],
  flags: [
    list('f, filter', 'Provide filter values (e.g. "dangling=true")', { type: 'filter', parse: filter }),
    text('format', TABLE_FORMAT_DOC),
    bool('q, quiet', 'Only display volume names'),
  ],
  async run({ client, out }, flags) {
    const { Volumes } = await client.volumes.list(filterMap(flags.list('filter')));
    const quiet = flags.bool('quiet') && /^(table)?$/.test(flags.text('format'));
    out(printRows(volumeRow, Volumes ?? [], quiet ? '{{.Name}}' : flags.text('format'), '{{.Driver}}\t{{.Name}}'));
    return 0;
  },
};
