import type { SearchItem } from '../../client/types.ts';
import { authHeader } from '../auth/logins.ts';
import type { Command } from '../command.ts';
import { bool, list, one, text } from '../flags/flag-spec.ts';
import { filter, filterMap, integer } from '../flags/values.ts';
import { printRows, type RowKind } from '../format/print-rows.ts';
import { ellipsis } from '../format/units.ts';

const TABLE = '{{.Name}}\t{{.Description}}\t{{.StarCount}}\t{{.IsOfficial}}';

/** @param json whether the rows are told as JSON, where a flag is a word and not a mark. */
function row(trunc: boolean, json: boolean): RowKind<SearchItem> {
  const mark = (value: boolean): string => (json ? String(value) : value ? '[OK]' : '');
  return {
    goType: '*search.searchContext',
    fields: {
      Name: (item) => item.name,
      Description: (item) => {
        const line = item.description.replaceAll('\n', ' ').replaceAll('\r', ' ');
        return trunc ? ellipsis(line, 45) : line;
      },
      StarCount: (item) => String(item.star_count),
      IsOfficial: (item) => mark(item.is_official),
    },
    headers: { Name: 'NAME', Description: 'DESCRIPTION', StarCount: 'STARS', IsOfficial: 'OFFICIAL' },
  };
}

export const search: Command = {
  use: '[OPTIONS] TERM',
  short: 'Search Docker Hub for images',
  args: [1, 1],
  flags: [
    list('f, filter', 'Filter output based on conditions provided', { type: 'filter', parse: filter }),
    text('format', 'Pretty-print search using a Go template'),
    one('limit', 'int', 'Max number of search results', { parse: integer }),
    bool('no-trunc', "Don't truncate output"),
  ],
  async run({ client, configDir, out }, flags) {
    const term = flags.args[0] ?? '';
    const limit = flags.given('limit') ? flags.text('limit') : undefined;
    const filters = JSON.stringify(filterMap(flags.list('filter')));
    const found = await client.images.search({ term, limit, filters }, await authHeader(configDir, term));
    const format = flags.text('format');
    out(printRows(row(!flags.bool('no-trunc'), /^json$|\bjson \./.test(format)), found, format, TABLE));
    return 0;
  },
};
