import { DaemonError } from '../../client/daemon-error.ts';
import { notFound } from '../../util/errors.ts';
import { type Command, type CommandContext, ExitError } from '../command.ts';
import { bool, text } from '../flags/flag-spec.ts';
import { OBJECT_FORMAT_DOC } from '../format/format-doc.ts';
import { inspectObjects } from '../inspect-objects.ts';

type Fetch = (name: string) => Promise<string>;

export const inspect: Command = {
  use: '[OPTIONS] NAME|ID [NAME|ID...]',
  short: 'Return low-level information on Docker objects',
  args: [1, Infinity],
  flags: [
    text('f, format', OBJECT_FORMAT_DOC),
    bool('s, size', 'Display total file sizes if the type is container'),
    text('type', 'Only inspect objects of the given type'),
  ],
  run(context, flags) {
    const fetchers = fetchersOf(context, flags.bool('size'));
    const type = flags.text('type');
    if (type === '' && !flags.given('type'))
      return inspectObjects(context, flags.args, flags.text('format'), anyOf(fetchers));
    if (type === '') throw new ExitError(1, 'type is empty: must be one of "container", "image"');
    const fetch = Object.hasOwn(fetchers, type) ? fetchers[type] : undefined;
    if (fetch === undefined)
      throw new ExitError(1, `unknown type: ${JSON.stringify(type)}: must be one of "container", "image"`);
    return inspectObjects(context, flags.args, flags.text('format'), fetch);
  },
};

const fetchersOf = ({ client }: CommandContext, size: boolean): Record<string, Fetch> => ({
  container: (name) => client.containers.inspectRaw(name, size),
  image: (name) => client.images.inspectRaw(name),
});

/** The first kind that has the name. */
function anyOf(fetchers: Record<string, Fetch>): Fetch {
  return async (name) => {
    for (const fetch of Object.values(fetchers)) {
      try {
        return await fetch(name);
      } catch (error) {
        if (!(error instanceof DaemonError) || error.status !== 404) throw error;
      }
    }
    throw notFound(`Error: No such object: ${name}`);
  };
}
