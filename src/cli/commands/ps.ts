import type { Command } from '../command.ts';
import { bool, list, one, text } from '../flags/flag-spec.ts';
import { filter, filterMap, integer } from '../flags/values.ts';
import { CONTAINER_TABLE, containerRow } from '../format/container-row.ts';
import { TABLE_FORMAT_DOC } from '../format/format-doc.ts';
import { printRows } from '../format/print-rows.ts';

export const ps: Command = {
  use: '[OPTIONS]',
  short: 'List containers',
  aliases: ['container ls', 'container list', 'container ps', 'ps'],
  args: [0, 0],
  flags: [
    bool('a, all', 'Show all containers (default shows just running)'),
    list('f, filter', 'Filter output based on conditions provided', { type: 'filter', parse: filter }),
    text('format', TABLE_FORMAT_DOC),
    one('n, last', 'int', 'Show n last created containers (includes all states)', { default: '-1', parse: integer }),
    bool('l, latest', 'Show the latest created container (includes all states)'),
    bool('no-trunc', "Don't truncate output"),
    bool('q, quiet', 'Only display container IDs'),
    bool('s, size', 'Display total file sizes'),
  ],
  async run({ client, out }, flags) {
    const last = flags.value<number>('last') ?? -1;
    const format = flags.text('format');
    const limit = flags.bool('latest') && last < 0 ? 1 : last;
    const containers = await client.containers.list({
      all: flags.bool('all'),
      ...(limit > 0 ? { limit } : {}),
      size: flags.bool('size') || /\{\{[^}]*\.Size\b|\{\{\s*json \.\s*\}\}/.test(format),
      filters: filterMap(flags.list('filter')),
    });
    const table = flags.bool('quiet') ? '{{.ID}}' : CONTAINER_TABLE + (flags.bool('size') ? '\t{{.Size}}' : '');
    const quiet = flags.bool('quiet') && /^(table)?$/.test(format);
    out(printRows(containerRow(!flags.bool('no-trunc')), containers, quiet ? '{{.ID}}' : format, table));
    return 0;
  },
};
