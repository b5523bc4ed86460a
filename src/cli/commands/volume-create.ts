import { invalid } from '../../util/errors.ts';
import type { Command } from '../command.ts';
import { list, text } from '../flags/flag-spec.ts';

export const volumeCreate: Command = {
  use: '[OPTIONS] [VOLUME]',
  short: 'Create a volume',
  args: [0, 1],
  flags: [
    text('d, driver', 'Specify volume driver name', { default: 'local' }),
    list('label', 'Set metadata for a volume'),
    list('o, opt', 'Set driver specific options', { type: 'map' }),
  ],
  async run({ client, out }, flags) {
    const options = pairs(flags.list('opt'));
    const body = { Name: flags.args[0] ?? '', Driver: flags.text('driver'), DriverOpts: options };
    const { Name } = await client.volumes.create({ ...body, Labels: pairs(flags.list('label')) });
    out(`${Name}\n`);
    return 0;
  },
};

function pairs(words: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    words.map((word) => {
      const at = word.indexOf('=');
      if (word === '' || at === 0) throw invalid(`invalid value "${word}": a name is missing`);
      return at === -1 ? [word, ''] : [word.slice(0, at), word.slice(at + 1)];
    }),
  );
}
