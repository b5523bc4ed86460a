import { type FlagSpec, one, text } from '../flags/flag-spec.ts';
import type { ParsedFlags } from '../flags/parse-flags.ts';
import { integer } from '../flags/values.ts';

/** The flags of `stop` and `restart`; `--time` is an older name. */
export const stopFlags: readonly FlagSpec[] = [
  text('s, signal', 'Signal to send to the container'),
  one('t, timeout', 'int', 'Seconds to wait before killing the container', { parse: integer }),
  one('time', 'int', 'Seconds to wait before killing the container', {
    parse: integer,
    hidden: true,
    aliasOf: 'timeout',
  }),
];

export const stopQuery = (flags: ParsedFlags): { t: number | undefined; signal: string } => ({
  t: flags.value<number>('timeout'),
  signal: flags.text('signal'),
});
