import { authHeader } from '../auth/logins.ts';
import type { CommandContext } from '../command.ts';
import { showProgress } from '../format/progress.ts';
import { familiar, parseReference } from './image-reference.ts';

/** Pulls what `image` names, with its progress on standard error. */
export async function pullImage(
  context: CommandContext,
  image: string,
  options: { platform: string; quiet: boolean },
): Promise<void> {
  const reference = parseReference(image);
  const query = {
    fromImage: reference.name,
    tag: reference.digest ?? reference.tag ?? 'latest',
    platform: options.platform,
  };
  const auth = await authHeader(context.configDir, reference.name);
  await showProgress(context.client.images.pull(query, auth), context.stderr, { quiet: options.quiet });
}

/** The words Docker says before it pulls. */
export const notLocal = (image: string): string =>
  `Unable to find image '${familiar(parseReference(image))}' locally\n`;
