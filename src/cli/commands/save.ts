import { statSync } from 'node:fs';
import { dirname } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { type Command, ExitError } from '../command.ts';
import { text } from '../flags/flag-spec.ts';
import { platformQuery } from '../platform-query.ts';
import { writeAside } from '../write-aside.ts';

export const save: Command = {
  use: '[OPTIONS] IMAGE [IMAGE...]',
  short: 'Save one or more images to a tar archive (streamed to STDOUT by default)',
  aliases: ['image save', 'save'],
  args: [1, Infinity],
  flags: [
    text('o, output', 'Write to a file, instead of STDOUT'),
    text('platform', 'Save only the given platform variant. Formatted as "os[/arch[/variant]]" (e.g., "linux/amd64")'),
  ],
  async run({ client, stdout }, flags) {
    const output = flags.text('output');
    if (output === '' && stdout.isTTY) {
      throw new ExitError(1, 'cowardly refusing to save to a terminal. Use the -o flag or redirect');
    }
    if (output !== '') checkTarget(output);
    const platform = await platformQuery(client, [flags.text('platform')], 48);
    const body = await client.images.save(flags.args, { platform });
    if (output === '') await pipeline(body, stdout, { end: false });
    else await writeAside(body, output);
    return 0;
  },
};

function checkTarget(output: string): void {
  const dir = dirname(output);
  if (statSync(dir, { throwIfNoEntry: false })?.isDirectory() !== true) {
    throw new ExitError(
      1,
      `failed to save image: invalid output path: directory ${JSON.stringify(dir)} does not exist`,
    );
  }
  const target = statSync(output, { throwIfNoEntry: false });
  if (target !== undefined && !target.isFile()) {
    throw new ExitError(
      1,
      `failed to save image: invalid output path: ${JSON.stringify(output)} must be a directory or a regular file`,
    );
  }
}
