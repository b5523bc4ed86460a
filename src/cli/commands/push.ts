import { invalid } from '../../util/errors.ts';
import { authHeader } from '../auth/logins.ts';
import type { Command } from '../command.ts';
import { bool, text } from '../flags/flag-spec.ts';
import { showProgress } from '../format/progress.ts';
import { platformQuery } from '../platform-query.ts';
import { familiar, parseReference } from '../run/image-reference.ts';

export const push: Command = {
  use: '[OPTIONS] NAME[:TAG]',
  short: 'Upload an image to a registry',
  aliases: ['image push', 'push'],
  args: [1, 1],
  flags: [
    bool('a, all-tags', 'Push all tags of an image to the repository'),
    bool('disable-content-trust', 'Skip image signing (default true)'),
    text('platform', 'Push a platform-specific manifest as a single-platform image to the registry'),
    bool('q, quiet', 'Suppress verbose output'),
  ],
  async run({ client, configDir, stdout, out }, flags) {
    const reference = parseReference(flags.args[0] ?? '');
    const { name, tag, digest } = reference;
    const all = flags.bool('all-tags');
    if (all && (tag !== undefined || digest !== undefined)) throw invalid("tag can't be used with --all-tags/-a");
    if (digest !== undefined) throw invalid('cannot push a digest reference');
    const quiet = flags.bool('quiet');
    if (!all && tag === undefined && !quiet) out('Using default tag: latest\n');
    const platform = await platformQuery(client, [flags.text('platform')], 46);
    const query = { tag: all ? '' : (tag ?? 'latest'), platform };
    await showProgress(client.images.push(name, query, await authHeader(configDir, name)), stdout, { quiet });
    if (quiet) out(`${all ? name : familiar(reference)}\n`);
    return 0;
  },
};
