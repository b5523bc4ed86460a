import type { Command } from '../command.ts';
import { text } from '../flags/flag-spec.ts';
import { OBJECT_FORMAT_DOC } from '../format/format-doc.ts';
import { inspectObjects } from '../inspect-objects.ts';

export const volumeInspect: Command = {
  use: '[OPTIONS] VOLUME [VOLUME...]',
  short: 'Display detailed information on one or more volumes',
  args: [1, Infinity],
  flags: [text('f, format', OBJECT_FORMAT_DOC)],
  run: (context, flags) =>
    inspectObjects(context, flags.args, flags.text('format'), (name) => context.client.volumes.inspectRaw(name)),
};
