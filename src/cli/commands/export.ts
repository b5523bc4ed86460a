import { statSync } from 'node:fs';
import { dirname } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { type Command, ExitError } from '../command.ts';
import { text } from '../flags/flag-spec.ts';
import { writeAside } from '../write-aside.ts';

export const exportContainer: Command = {
  use: '[OPTIONS] CONTAINER',
  short: "Export a container's filesystem as a tar archive",
  aliases: ['container export', 'export'],
  args: [1, 1],
  flags: [text('o, output', 'Write to a file, instead of STDOUT')],
  async run({ client, stdout }, flags) {
    const output = flags.text('output');
    if (output === '' && stdout.isTTY) {
      throw new ExitError(1, 'cowardly refusing to save to a terminal. Use the -o flag or redirect');
    }
    if (output !== '') checkTarget(output);
    const body = await client.containers.export(flags.args[0] ?? '');
    if (output === '') await pipeline(body, stdout, { end: false });
    else await writeAside(body, output);
    return 0;
  },
};

function checkTarget(output: string): void {
  const refuse = (why: string): never => {
    throw new ExitError(1, `failed to export container: ${why}`);
  };
  const dir = dirname(output);
  if (statSync(dir, { throwIfNoEntry: false }) === undefined) {
    refuse(`invalid output path: stat ${dir}: no such file or directory`);
  }
  const target = statSync(output, { throwIfNoEntry: false });
  if (target?.isDirectory() === true) refuse('cannot write to a directory');
  if (target?.isCharacterDevice() === true) refuse('cannot write to a character device file');
  if (target?.isBlockDevice() === true) refuse('cannot write to a block device file');
}
