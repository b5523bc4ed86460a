import type { Command } from '../command.ts';
import { alignTabs } from '../format/tab-table.ts';

export const top: Command = {
  use: 'CONTAINER [ps OPTIONS]',
  short: 'Display the running processes of a container',
  aliases: ['container top', 'top'],
  args: [1, Infinity],
  interspersed: false,
  flags: [],
  async run({ client, out }, flags) {
    const [id = '', ...options] = flags.args;
    const { Titles, Processes } = await client.containers.top(id, options.join(' '));
    const lines = [Titles, ...(Processes ?? [])].map((cells) => `${cells.join('\t')}\n`);
    out(alignTabs(lines.join(''), { minWidth: 20, padding: 3 }));
    return 0;
  },
};
