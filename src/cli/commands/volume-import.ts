import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { type Command, ExitError } from '../command.ts';
import { text } from '../flags/flag-spec.ts';
import { openError } from '../run/env-files.ts';

export const volumeImport: Command = {
  use: '[OPTIONS] VOLUME',
  short: 'Unpack a tar archive into a volume, which is created if it does not exist',
  args: [1, 1],
  flags: [text('i, input', 'Read from tar archive file, instead of STDIN')],
  async run({ client, stdin, out }, flags) {
    const input = flags.text('input');
    if (input === '' && stdin.isTTY) throw new ExitError(1, 'requested import from stdin, but stdin is empty');
    if (input !== '') {
      const file = await open(input).catch((error: unknown) => {
        throw openError(input, error);
      });
      await file.close();
    }
    const { Name } = await client.volumes.create({ Name: flags.args[0] ?? '', Driver: '', DriverOpts: {}, Labels: {} });
    await client.volumes.import(Name, input === '' ? stdin : createReadStream(input));
    out(`${Name}\n`);
    return 0;
  },
};
