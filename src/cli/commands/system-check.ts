import type { CheckResult } from '../../client/types.ts';
import { type Command, ExitError } from '../command.ts';
import { bool } from '../flags/flag-spec.ts';

export const systemCheck: Command = {
  use: '[OPTIONS]',
  short: 'Check what is stored of images, and repair it',
  args: [0, 0],
  flags: [bool('repair', 'Fetch again what is damaged, from the registries that have it')],
  async run({ client, out }, flags) {
    let result: CheckResult | undefined;
    for await (const { status, aux, error } of client.images.check(flags.bool('repair'))) {
      if (error !== undefined) throw new ExitError(1, error);
      if (status !== undefined) out(`${status}\n`);
      result = aux ?? result;
    }
    if (result === undefined) throw new ExitError(1, 'the check did not come to its end');
    const { images, layers, blobs, damaged, repaired } = result;
    out(`Checked ${images} images, ${layers} layers, ${blobs} blobs: ${damaged} damaged, ${repaired} repaired\n`);
    return damaged > repaired ? 1 : 0;
  },
};
