import { archiveInput } from '../archive-input.ts';
import type { Command } from '../command.ts';
import { text } from '../flags/flag-spec.ts';

export const volumeImport: Command = {
  use: '[OPTIONS] VOLUME',
  short: 'Unpack a tar archive into a volume, which is created if it does not exist',
  args: [1, 1],
  flags: [text('i, input', 'Read from tar archive file, instead of STDIN')],
  async run(context, flags) {
    const archive = await archiveInput(context, flags.text('input'), 'import');
    const { client, out } = context;
    const { Name } = await client.volumes.create({ Name: flags.args[0] ?? '', Driver: '', DriverOpts: {}, Labels: {} });
    await client.volumes.import(Name, archive);
    out(`${Name}\n`);
    return 0;
  },
};
