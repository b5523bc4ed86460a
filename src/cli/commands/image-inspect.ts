import type { Command } from '../command.ts';
import { text } from '../flags/flag-spec.ts';
import { OBJECT_FORMAT_DOC } from '../format/format-doc.ts';
import { inspectObjects } from '../inspect-objects.ts';
import { platformQuery } from '../platform-query.ts';

const PLATFORM_DOC = `Inspect a specific platform of the multi-platform image.
If the image or the server is not multi-platform capable, the command will error out if the platform does not match.
'os[/arch[/variant]]': Explicit platform (eg. linux/amd64)`;

export const imageInspect: Command = {
  use: '[OPTIONS] IMAGE [IMAGE...]',
  short: 'Display detailed information on one or more images',
  args: [1, Infinity],
  flags: [text('f, format', OBJECT_FORMAT_DOC), text('platform', PLATFORM_DOC)],
  async run(context, flags) {
    const platform = await platformQuery(context.client, [flags.text('platform')], 49);
    return inspectObjects(context, flags.args, flags.text('format'), (name) =>
      context.client.images.inspectRaw(name, { platform }),
    );
  },
};
