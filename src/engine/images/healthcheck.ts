import * as v from 'valibot';
import { type Healthcheck, HealthcheckSchema } from '../../spec/container.ts';
import { invalid } from '../../util/errors.ts';
import { parseGoDuration } from '../../util/time.ts';
import { jsonStrings } from './instruction-words.ts';

const DURATIONS = {
  interval: 'Interval',
  timeout: 'Timeout',
  'start-period': 'StartPeriod',
  'start-interval': 'StartInterval',
} as const;

const NS_PER_MS = 1_000_000n;

/** `[flags] CMD …` or `NONE`. @throws `invalid` in Docker's words. */
export function parseHealthcheck(text: string): Healthcheck {
  const check = v.parse(HealthcheckSchema, {});
  let rest = text;
  for (let flag = FLAG.exec(rest); flag !== null; flag = FLAG.exec(rest)) {
    applyFlag(check, flag[1] ?? '', flag[2] ?? '');
    rest = rest.slice(flag[0].length);
  }
  const kind = /^\S*/.exec(rest)?.[0] ?? '';
  const command = rest.slice(kind.length).trim();
  check.Test = testOf(kind, command);
  return check;
}

const FLAG = /^--([a-z-]+)(?:=(\S*))?\s*/;

function testOf(kind: string, command: string): string[] {
  if (kind.toUpperCase() === 'NONE') {
    if (command !== '') throw invalid('HEALTHCHECK NONE takes no arguments');
    return ['NONE'];
  }
  if (kind.toUpperCase() !== 'CMD') throw invalid(`Unknown type ${JSON.stringify(kind)} in HEALTHCHECK (try CMD)`);
  if (command === '') throw invalid('Missing command after HEALTHCHECK CMD');
  const words = jsonStrings(command);
  return words === undefined ? ['CMD-SHELL', command] : ['CMD', ...words];
}

function applyFlag(check: Healthcheck, name: string, value: string): void {
  if (name === 'retries') {
    const retries = Number(value);
    if (!Number.isInteger(retries) || retries < 0) throw invalid(`--retries cannot be negative (${value})`);
    check.Retries = retries;
    return;
  }
  const field = Object.entries(DURATIONS).find(([flag]) => flag === name)?.[1];
  if (field === undefined) throw invalid(`Unknown flag: ${name}`);
  const duration = parseGoDuration(value);
  if (duration === undefined) {
    const missing = /^\d+$/.test(value);
    throw invalid(`time: ${missing ? 'missing unit in' : 'invalid'} duration ${JSON.stringify(value)}`);
  }
  if (duration < NS_PER_MS && duration !== 0n)
    throw invalid(`Interval ${JSON.stringify(name)} cannot be less than 1ms`);
  check[field] = Number(duration);
}
