import { pipeline } from 'node:stream/promises';
import { checkOutput } from '../check-output.ts';
import { type Command, ExitError } from '../command.ts';
import { text } from '../flags/flag-spec.ts';
import { writeAside } from '../write-aside.ts';

export const volumeExport: Command = {
  use: '[OPTIONS] VOLUME',
  short: "Export a volume's content as a tar archive",
  args: [1, 1],
  flags: [text('o, output', 'Write to a file, instead of STDOUT')],
  async run({ client, stdout }, flags) {
    const output = flags.text('output');
    if (output === '' && stdout.isTTY) {
      throw new ExitError(1, 'cowardly refusing to save to a terminal. Use the -o flag or redirect');
    }
    if (output !== '') checkOutput(output, 'failed to export volume');
    const body = await client.volumes.export(flags.args[0] ?? '');
    if (output === '') await pipeline(body, stdout, { end: false });
    else await writeAside(body, output);
    return 0;
  },
};
