import { frameReader } from '../../client/frames.ts';
import type { Command } from '../command.ts';
import { bool, text } from '../flags/flag-spec.ts';
import { moment } from '../run/moment.ts';

export const logs: Command = {
  use: '[OPTIONS] CONTAINER',
  short: 'Fetch the logs of a container',
  aliases: ['container logs', 'logs'],
  args: [1, 1],
  flags: [
    bool('clear', 'Empty the log instead of showing it'),
    bool('details', 'Show extra details provided to logs'),
    bool('f, follow', 'Follow log output'),
    text('since', 'Show logs since timestamp (e.g. "2013-01-02T13:23:37Z") or relative (e.g. "42m" for 42 minutes)'),
    text('n, tail', 'Number of lines to show from the end of the logs', { default: '"all"' }),
    bool('t, timestamps', 'Show timestamps'),
    text('until', 'Show logs before a timestamp (e.g. "2013-01-02T13:23:37Z") or relative (e.g. "42m" for 42 minutes)'),
  ],
  async run({ client, stdout, stderr }, flags) {
    const container = await client.containers.inspect(flags.args[0] ?? '');
    if (flags.bool('clear')) {
      await client.containers.clearLogs(container.Id);
      return 0;
    }
    const body = await client.containers.logs(container.Id, {
      stdout: true,
      stderr: true,
      follow: flags.bool('follow'),
      timestamps: flags.bool('timestamps'),
      details: flags.bool('details'),
      tail: flags.text('tail') || 'all',
      since: moment('since', flags.text('since')),
      until: moment('until', flags.text('until')),
    });
    const split = frameReader((stream, data) => {
      (stream === 'stdout' ? stdout : stderr).write(data);
    });
    for await (const chunk of body) {
      if (container.Config.Tty) stdout.write(chunk as Buffer);
      else split(chunk as Buffer);
    }
    return 0;
  },
};
