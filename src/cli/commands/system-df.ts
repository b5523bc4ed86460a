import { messageOf } from '../../util/errors.ts';
import { goJson } from '../../util/template/go-print.ts';
import { compileTemplate } from '../../util/template/template.ts';
import { type Command, ExitError } from '../command.ts';
import { bool, text } from '../flags/flag-spec.ts';
import { DETAILS, detailRows, detailTables, USAGE_TABLE, usageLines, usageRow } from '../format/disk-usage-rows.ts';
import { TABLE_FORMAT_DOC } from '../format/format-doc.ts';
import { printRows } from '../format/print-rows.ts';

export const systemDf: Command = {
  use: '[OPTIONS]',
  short: 'Show docker disk usage',
  args: [0, 0],
  flags: [text('format', TABLE_FORMAT_DOC), bool('v, verbose', 'Show detailed information on space usage')],
  async run({ client, out }, flags) {
    const usage = await client.diskUsage();
    const format = flags.text('format');
    if (!flags.bool('verbose')) out(printRows(usageRow, usageLines(usage), format, USAGE_TABLE));
    else if (format === '' || format === 'table') out(detailTables(usage));
    else if (format === 'json') out(goJson(detailRows(usage, DETAILS), true));
    else out(render(format, detailRows(usage, DETAILS)));
    return 0;
  },
};

function render(format: string, data: object): string {
  try {
    return compileTemplate(format.replaceAll('\\t', '\t').replaceAll('\\n', '\n')).execute(data);
  } catch (error) {
    throw new ExitError(64, `template parsing error: ${messageOf(error)}`);
  }
}
