import { invalid } from '../../util/errors.ts';
import { duration } from '../flags/values.ts';

const seconds = (ms: number) => {
  const whole = Math.floor(ms / 1000);
  return `${whole}.${String(Math.round((ms - whole * 1000) * 1e6)).padStart(9, '0')}`;
};

/** A date with an optional time; without a zone it is local time. */
const DATE = /^(\d{4}-\d\d-\d\d)(?:T(\d\d(?::\d\d(?::\d\d(\.\d{1,9})?)?)?))?(Z|[+-]\d\d:\d\d)?$/;

/**
 * `--since` and `--until`: seconds since the epoch, a date, or a span such as `10m` before now, as the API takes it
 * (`seconds.nanoseconds`). '' stays ''.
 *
 * @throws `invalid` for anything else.
 */
export function moment(name: string, raw: string, now = Date.now()): string {
  if (raw === '') return '';
  if (/^\d+(\.\d{1,9})?$/.test(raw)) return raw;
  const match = DATE.exec(raw);
  if (match !== null) return dated(match);
  try {
    return seconds(now - duration(raw) / 1e6);
  } catch {
    throw invalid(
      `invalid value for ${JSON.stringify(name)}: failed to parse value as time or duration: ${JSON.stringify(raw)}`,
    );
  }
}

function dated(match: RegExpExecArray): string {
  const [, date = '', clock = '00', fraction = '', zone = ''] = match;
  const padded = clock.replace(/\..*/, '').split(':');
  const time = [padded[0] ?? '00', padded[1] ?? '00', padded[2] ?? '00'].join(':');
  const whole = Math.floor(new Date(`${date}T${time}${zone}`).getTime() / 1000);
  return `${whole}.${fraction.slice(1).padEnd(9, '0')}`;
}
