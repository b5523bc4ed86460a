import type { Command } from '../command.ts';
import { bool, text } from '../flags/flag-spec.ts';
import { OBJECT_FORMAT_DOC } from '../format/format-doc.ts';
import { inspectObjects } from '../inspect-objects.ts';

export const containerInspect: Command = {
  use: '[OPTIONS] CONTAINER [CONTAINER...]',
  short: 'Display detailed information on one or more containers',
  args: [1, Infinity],
  flags: [text('f, format', OBJECT_FORMAT_DOC), bool('s, size', 'Display total file sizes')],
  run: (context, flags) =>
    inspectObjects(context, flags.args, flags.text('format'), (name) =>
      context.client.containers.inspectRaw(name, flags.bool('size')),
    ),
};
