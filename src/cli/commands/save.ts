import { statSync } from 'node:fs';
import { dirname } from 'node:path';
import { archiveOutput } from '../archive-output.ts';
import { type Command, ExitError } from '../command.ts';
import { text } from '../flags/flag-spec.ts';
import { platformQuery } from '../platform-query.ts';

export const save: Command = {
  use: '[OPTIONS] IMAGE [IMAGE...]',
  short: 'Save one or more images to a tar archive (streamed to STDOUT by default)',
  aliases: ['image save', 'save'],
  args: [1, Infinity],
  flags: [
    text('o, output', 'Write to a file, instead of STDOUT'),
    text('platform', 'Save only the given platform variant. Formatted as "os[/arch[/variant]]" (e.g., "linux/amd64")'),
  ],
  async run(context, flags) {
    const write = archiveOutput(context, flags.text('output'), checkTarget);
    const { client } = context;
    const platform = await platformQuery(client, [flags.text('platform')], 48);
    await write(await client.images.save(flags.args, { platform }));
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
