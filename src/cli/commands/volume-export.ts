import { archiveOutput } from '../archive-output.ts';
import { checkOutput } from '../check-output.ts';
import type { Command } from '../command.ts';
import { text } from '../flags/flag-spec.ts';

export const volumeExport: Command = {
  use: '[OPTIONS] VOLUME',
  short: "Export a volume's content as a tar archive",
  args: [1, 1],
  flags: [text('o, output', 'Write to a file, instead of STDOUT')],
  async run(context, flags) {
    const check = (output: string) => checkOutput(output, 'failed to export volume');
    const write = archiveOutput(context, flags.text('output'), check);
    await write(await context.client.volumes.export(flags.args[0] ?? ''));
    return 0;
  },
};
