import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import type { Command, CommandContext } from '../command.ts';
import { list, text } from '../flags/flag-spec.ts';
import { showProgress } from '../format/progress.ts';
import { openError } from '../run/env-files.ts';
import { parseReference } from '../run/image-reference.ts';

export const importImage: Command = {
  use: '[OPTIONS] file|URL|- [REPOSITORY[:TAG]]',
  short: 'Import the contents from a tarball to create a filesystem image',
  aliases: ['image import', 'import'],
  args: [1, Infinity],
  flags: [
    list('c, change', 'Apply Dockerfile instruction to the created image'),
    text('m, message', 'Set commit message for imported image'),
    text('platform', 'Set platform if server is multi-platform capable'),
  ],
  async run(context, flags) {
    const [source = '', name] = flags.args;
    const reference = name === undefined ? undefined : parseReference(name);
    const remote = /^https?:\/\//.test(source);
    const stream = remote ? undefined : await archive(context, source);
    const query = {
      fromSrc: remote ? source : '-',
      repo: reference?.name,
      tag: reference?.tag,
      message: flags.text('message'),
      platform: flags.text('platform'),
      changes: flags.list('change'),
    };
    await showProgress(context.client.images.create(query, stream), context.stdout);
    return 0;
  },
};

async function archive(context: CommandContext, source: string): Promise<Readable> {
  if (source === '-') return context.stdin;
  // Opened first: a missing file is an error before anything is sent.
  const file = await open(source).catch((error: unknown) => {
    throw openError(source, error);
  });
  await file.close();
  return createReadStream(source);
}
