import type { HistoryItem } from '../../client/types.ts';
import { shortId } from '../../util/id.ts';
import type { Command } from '../command.ts';
import { bool, text } from '../flags/flag-spec.ts';
import { TABLE_FORMAT_DOC } from '../format/format-doc.ts';
import { rfc3339 } from '../format/local-time.ts';
import { printRows, type RowKind } from '../format/print-rows.ts';
import { ellipsis, humanDuration, humanSize } from '../format/units.ts';
import { platformQuery } from '../platform-query.ts';

function row(trunc: boolean, human: boolean): RowKind<HistoryItem> {
  const since = (item: HistoryItem) =>
    item.Created <= 0 ? 'N/A' : `${humanDuration(Date.now() - item.Created * 1000)} ago`;
  return {
    goType: '*image.historyContext',
    fields: {
      ID: (item) => (trunc ? shortId(item.Id) : item.Id),
      CreatedAt: (item) => (item.Created <= 0 ? '' : rfc3339(item.Created)),
      CreatedSince: (item) => (human ? since(item) : rfc3339(item.Created)),
      CreatedBy: (item) => {
        const command = item.CreatedBy.replaceAll('\t', ' ');
        return trunc ? ellipsis(command, 45) : command;
      },
      Size: (item) => (human ? humanSize(item.Size) : String(item.Size)),
      Comment: (item) => item.Comment,
    },
    headers: {
      ID: 'IMAGE',
      CreatedAt: 'CREATED AT',
      CreatedSince: human ? 'CREATED' : 'CREATED AT',
      CreatedBy: 'CREATED BY',
      Size: 'SIZE',
      Comment: 'COMMENT',
    },
  };
}

export const history: Command = {
  use: '[OPTIONS] IMAGE',
  short: 'Show the history of an image',
  aliases: ['image history', 'history'],
  args: [1, 1],
  flags: [
    text('format', TABLE_FORMAT_DOC),
    bool('H, human', 'Print sizes and dates in human readable format (default true)'),
    bool('no-trunc', "Don't truncate output"),
    text('platform', 'Show history for the given platform. Formatted as "os[/arch[/variant]]" (e.g., "linux/amd64")'),
    bool('q, quiet', 'Only show image IDs'),
  ],
  async run({ client, out }, flags) {
    const platform = await platformQuery(client, [flags.text('platform')], 48);
    const items = await client.images.history(flags.args[0] ?? '', { platform });
    const human = !flags.given('human') || flags.bool('human');
    const quiet = flags.bool('quiet') && /^(table)?$/.test(flags.text('format'));
    const table = '{{.ID}}\t{{.CreatedSince}}\t{{.CreatedBy}}\t{{.Size}}\t{{.Comment}}';
    out(printRows(row(!flags.bool('no-trunc'), human), items, quiet ? '{{.ID}}' : flags.text('format'), table));
    return 0;
  },
};
