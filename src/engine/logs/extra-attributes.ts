import { parseGoRegExp } from '../../util/go-regexp.ts';
import type { LogSubject } from './log-subject.ts';

/** What the options `labels` and `env` and their patterns choose of a container. @throws `invalid` for a pattern that is none. */
export function extraAttributes(config: Readonly<Record<string, string>>, subject: LogSubject): Record<string, string> {
  const env = Object.fromEntries(subject.env.filter((entry) => entry.includes('=')).map(splitEnv));
  return {
    ...pick(subject.labels, config['labels'], config['labels-regex']),
    ...pick(env, config['env'], config['env-regex']),
  };
}

function splitEnv(entry: string): [string, string] {
  const at = entry.indexOf('=');
  return [entry.slice(0, at), entry.slice(at + 1)];
}

function pick(values: Readonly<Record<string, string>>, names = '', pattern = ''): Record<string, string> {
  const listed = names.split(',');
  const matching = pattern === '' ? undefined : parseGoRegExp(pattern);
  return Object.fromEntries(
    Object.entries(values).filter(([name]) => listed.includes(name) || matching?.test(name) === true),
  );
}
