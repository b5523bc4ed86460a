import { invalid } from '../../util/errors.ts';
import type { Filters } from '../engine.ts';
import { valuesOf } from '../filters.ts';

interface PortRange {
  first: number;
  last: number;
  protocol: string;
}

/**
 * The test that the values of `expose` or `publish` make of a port such as `80/tcp`; undefined when the filter is not used. A value is
 * `port[/protocol]` or `first-last[/protocol]`.
 *
 * @throws `invalid` in Docker's words.
 */
export function filterPorts(filters: Filters, key: string): ((port: string) => boolean) | undefined {
  const values = valuesOf(filters, key);
  if (values.length === 0) return undefined;
  const ranges = values.map((value) => parseRange(key, value));
  return (port) => {
    const [number = '', protocol = 'tcp'] = port.split('/');
    return ranges.some((it) => it.protocol === protocol && Number(number) >= it.first && Number(number) <= it.last);
  };
}

function parseRange(key: string, value: string): PortRange {
  if (value.includes(':')) throw invalid(`filter for '${key}' should not contain ':': ${value}`);
  const slash = value.indexOf('/');
  const ports = slash === -1 ? value : value.slice(0, slash);
  const fail = (why: string) => invalid(`error while looking up for ${key} ${value}: ${why}`);
  if (ports === '') throw fail('Empty string specified for ports.');
  const dash = ports.indexOf('-');
  const first = parsePort(dash === -1 ? ports : ports.slice(0, dash), fail);
  const last = dash === -1 ? first : parsePort(ports.slice(dash + 1), fail);
  if (last < first) throw fail(`Invalid range specified for the Port: ${ports}`);
  return { first, last, protocol: (slash === -1 ? '' : value.slice(slash + 1)) || 'tcp' };
}

function parsePort(text: string, fail: (why: string) => Error): number {
  if (!/^\d+$/.test(text)) throw fail(`strconv.ParseUint: parsing "${text}": invalid syntax`);
  if (Number(text) > 65_535) throw fail(`strconv.ParseUint: parsing "${text}": value out of range`);
  return Number(text);
}
