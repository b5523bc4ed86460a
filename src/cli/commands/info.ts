import { messageOf } from '../../util/errors.ts';
import { goJson } from '../../util/template/go-print.ts';
import { compileTemplate } from '../../util/template/template.ts';
import { type Command, ExitError } from '../command.ts';
import { text } from '../flags/flag-spec.ts';
import { OBJECT_FORMAT_DOC } from '../format/format-doc.ts';
import { infoLines, infoWarnings } from '../format/info-lines.ts';

export const info: Command = {
  use: '[OPTIONS]',
  short: 'Display system-wide information',
  aliases: ['system info', 'info'],
  args: [0, 0],
  flags: [text('f, format', OBJECT_FORMAT_DOC)],
  async run({ client, out, err, version, debug }, flags) {
    const format = flags.text('format');
    const own = { Debug: debug, Version: version, Context: 'default', Plugins: [], Warnings: null };
    if (format !== '') {
      const data = { ...(await client.info()), ClientInfo: own };
      if (format === 'json') out(`${goJson(data, false)}\n`);
      else out(`${render(format, data)}\n`);
      return 0;
    }
    out(`Client:\n Version:    ${version}\n Context:    default\n Debug Mode: ${debug}\n\nServer:\n`);
    const server = await client.info();
    out(`${infoLines(server).join('\n')}\n\n`);
    err(infoWarnings(server));
    return 0;
  },
};

function render(format: string, data: object): string {
  try {
    return compileTemplate(format, { missingKey: 'error' }).execute(data);
  } catch (error) {
    throw new ExitError(64, `template parsing error: ${messageOf(error)}`);
  }
}
