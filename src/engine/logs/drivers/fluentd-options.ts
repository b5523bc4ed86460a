import { invalid } from '../../../util/errors.ts';
import { parseSize } from '../parse-size.ts';
import type { LogOptions } from './driver.ts';
import { parseFluentdAddress } from './fluentd-address.ts';
import { boolOption, countOption, durationOption, named } from './option-values.ts';

const BUFFER_LIMIT = 1024 * 1024;
const RETRY_WAIT = 1000;
/** How often a connection may be asked to be made anew, in milliseconds. */
const RECONNECT = { least: 100, most: 10_000 };

/** What the options of `fluentd` ask for; times in milliseconds. */
export type FluentdSettings = ReturnType<typeof parseFluentdOptions>;

/** @throws `invalid` in Docker's words. An option without a value counts as none, as in Docker. */
export function parseFluentdOptions(options: LogOptions) {
  const address = parseFluentdAddress(options['fluentd-address']);
  const [now, before] = [options['fluentd-async'] || undefined, options['fluentd-async-connect'] || undefined];
  if (now !== undefined && before !== undefined) {
    throw invalid("conflicting options: cannot specify both 'fluentd-async' and 'fluentd-async-connect");
  }
  const limit = options['fluentd-buffer-limit'] || undefined;
  return {
    address,
    async: boolOption(now ?? before, false),
    bufferLimit: limit === undefined ? BUFFER_LIMIT : parseSize(limit, 1024),
    // Not even a receiver that is on this host is dialled without a pause.
    retryWait: Math.max(1, durationOption(options['fluentd-retry-wait'], RETRY_WAIT)),
    maxRetries: countOption(options['fluentd-max-retries'], Number.POSITIVE_INFINITY),
    subSecond: boolOption(options['fluentd-sub-second-precision'], false),
    ack: boolOption(options['fluentd-request-ack'], false),
    writeTimeout: timeout(options, 'fluentd-write-timeout'),
    readTimeout: timeout(options, 'fluentd-read-timeout'),
    reconnectAfter: reconnectInterval(options),
  };
}

/** `0` waits for ever. */
function timeout(options: LogOptions, name: string): number {
  const what = `invalid value for ${name}: value must be a duration`;
  const milliseconds = named(what, () => durationOption(options[name], 0));
  if (milliseconds < 0) throw invalid(`${what} that is non-negative`);
  return milliseconds;
}

/** `0`: never. */
function reconnectInterval(options: LogOptions): number {
  const name = 'fluentd-async-reconnect-interval';
  const interval = named(`invalid value for ${name}`, () => durationOption(options[name], 0));
  if (interval === 0 || (interval >= RECONNECT.least && interval <= RECONNECT.most)) return interval;
  throw invalid(`invalid value for ${name}: value ("${options[name]}") must be between 100ms and 10s`);
}
