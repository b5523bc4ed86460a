import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { jsonLines } from '../../client/json-stream.ts';
import type { ProgressMessage } from '../../client/types.ts';
import { type Command, ExitError } from '../command.ts';
import { bool, text } from '../flags/flag-spec.ts';
import { showProgress } from '../format/progress.ts';
import { platformQuery } from '../platform-query.ts';
import { openError } from '../run/env-files.ts';

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
  async run({ client, stdin, stdout }, flags) {
    const input = flags.text('input');
    if (input === '' && stdin.isTTY) throw new ExitError(1, 'requested load from stdin, but stdin is empty');
    if (input !== '') {
      const file = await open(input).catch((error: unknown) => {
        throw openError(input, error);
      });
      await file.close();
    }
    const platform = await platformQuery(client, [flags.text('platform')], 48);
    // Bars only where they can move.
    const quiet = flags.bool('quiet') || !stdout.isTTY;
    const { json, body } = await client.images.load(input === '' ? stdin : createReadStream(input), {
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
