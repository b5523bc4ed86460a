import { messageOf } from '../../util/errors.ts';
import { type Command, ExitError } from '../command.ts';
import { type ImageReference, parseReference } from '../run/image-reference.ts';

export const tag: Command = {
  use: 'SOURCE_IMAGE[:TAG] TARGET_IMAGE[:TAG]',
  short: 'Create a tag TARGET_IMAGE that refers to SOURCE_IMAGE',
  aliases: ['image tag', 'tag'],
  args: [2, 2],
  flags: [],
  async run({ client }, { args: [source = '', target = ''] }) {
    const reference = parse(target);
    if (reference.digest !== undefined) throw new ExitError(1, 'refusing to create a tag with a digest reference');
    await client.images.tag(source, reference.name, reference.tag ?? 'latest');
    return 0;
  },
};

function parse(target: string): ImageReference {
  try {
    return parseReference(target);
  } catch (error) {
    throw new ExitError(
      1,
      `Error parsing reference: ${JSON.stringify(target)} is not a valid repository/tag: ${messageOf(error)}`,
    );
  }
}
