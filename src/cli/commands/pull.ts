import { authHeader } from '../auth/logins.ts';
import type { Command } from '../command.ts';
import { bool, text } from '../flags/flag-spec.ts';
import { showProgress } from '../format/progress.ts';
import { familiar, parseReference } from '../run/image-reference.ts';

export const pull: Command = {
  use: '[OPTIONS] NAME[:TAG|@DIGEST]',
  short: 'Download an image from a registry',
  aliases: ['image pull', 'pull'],
  args: [1, 1],
  flags: [
    bool('a, all-tags', 'Download all tagged images in the repository'),
    bool('disable-content-trust', 'Skip image verification (default true)'),
    text('platform', 'Set platform if server is multi-platform capable'),
    bool('q, quiet', 'Suppress verbose output'),
  ],
  async run({ client, configDir, stdout, out, env }, flags) {
    const reference = parseReference(flags.args[0] ?? '');
    const all = flags.bool('all-tags');
    if (!all && reference.tag === undefined && reference.digest === undefined && !flags.bool('quiet')) {
      out('Using default tag: latest\n');
    }
    const query = {
      fromImage: reference.name,
      tag: all ? '' : (reference.digest ?? reference.tag ?? 'latest'),
      platform: flags.text('platform') || env['DOCKER_DEFAULT_PLATFORM'],
    };
    await showProgress(client.images.pull(query, await authHeader(configDir, reference.name)), stdout, {
      quiet: flags.bool('quiet'),
    });
    out(`${qualified(familiar(reference))}\n`);
    return 0;
  },
};

/** The whole name, Docker Hub's parts included. */
function qualified(name: string): string {
  if (/^(localhost|[^/]*[.:][^/]*)\//.test(name)) return name;
  return `docker.io/${name.includes('/') ? '' : 'library/'}${name}`;
}
