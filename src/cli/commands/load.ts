import { jsonLines } from '../../client/json-stream.ts';
import type { ProgressMessage } from '../../client/types.ts';
import { archiveInput } from '../archive-input.ts';
import type { Command } from '../command.ts';
import { bool, text } from '../flags/flag-spec.ts';
import { showProgress } from '../format/progress.ts';
import { platformQuery } from '../platform-query.ts';

export const load: Command = {
  use: '[OPTIONS]',
  short: 'Load an image from a tar archive or STDIN',
  aliases: ['image load', 'load'],
  args: [0, 0],
  flags: [
    text('i, input', 'Read from tar archive file, instead of STDIN'),
    text('platform', 'Load only the given platform variant. Formatted as "os[/arch[/variant]]" (e.g., "linux/amd64")'),
    bool('q, quiet', 'Suppress the load output'),
  ],
  async run(context, flags) {
    const archive = await archiveInput(context, flags.text('input'), 'load');
    const { client, stdout } = context;
    const platform = await platformQuery(client, [flags.text('platform')], 48);
    // Bars only where they can move.
    const quiet = flags.bool('quiet') || !stdout.isTTY;
    const { json, body } = await client.images.load(archive, {
      quiet,
      platform,
    });
    if (json) await showProgress(messages(body), stdout);
    else for await (const chunk of body) stdout.write(chunk as Buffer);
    return 0;
  },
};

async function* messages(body: Parameters<typeof jsonLines>[0]): AsyncGenerator<ProgressMessage> {
  for await (const line of jsonLines(body)) yield JSON.parse(line) as ProgressMessage;
}
