import { readFileSync } from 'node:fs';
import { hasCode, invalid, messageOf } from '../../util/errors.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/** A missing file in Go's words. */
export function openError(path: string, error: unknown): Error {
  if (hasCode(error, 'ENOENT')) return invalid(`open ${path}: no such file or directory`);
  if (hasCode(error, 'EACCES')) return invalid(`open ${path}: permission denied`);
  if (hasCode(error, 'EISDIR')) return invalid(`read ${path}: is a directory`);
  return invalid(messageOf(error));
}

function readLines(path: string): string[] {
  try {
    return readFileSync(path, 'utf8')
      .replace(/^\ufeff/, '')
      .split('\n');
  } catch (error) {
    throw openError(path, error);
  }
}

/** Lines `NAME=value` or `NAME` of files; empty ones and those starting with # are left out. */
function fileEntries(paths: readonly string[], lookUp: (name: string) => string | undefined): string[] {
  const entries: string[] = [];
  for (const path of paths) {
    for (const raw of readLines(path)) {
      const line = raw.replace(/\r$/, '').trimStart();
      if (line === '' || line.startsWith('#')) continue;
      const [name = '', value] = line.split(/=(.*)/s);
      if (name === '') throw invalid(`invalid env file (${path}): no variable name on line '${line}'`);
      if (/\s/.test(name)) throw invalid(`invalid env file (${path}): variable '${name}' contains whitespaces`);
      const found = value ?? lookUp(name);
      if (found !== undefined) entries.push(`${name}=${found}`);
    }
  }
  return entries;
}

/** `--env-file` and `--env` together; a bare name takes its value from `env`, or is left out when it has none. */
export function readEnv(files: readonly string[], given: readonly string[], env: Environment): string[] {
  const entries = fileEntries(files, (name) => env[name]);
  for (const one of given) {
    if (one.includes('=')) entries.push(one);
    else if (env[one] !== undefined) entries.push(`${one}=${env[one]}`);
    // A bare name without a value removes what the image sets.
    else entries.push(one);
  }
  return entries;
}

/** `--label-file` and `--label` together. */
export function readLabels(files: readonly string[], given: readonly string[]): Record<string, string> {
  const labels: Record<string, string> = {};
  for (const one of [...fileEntries(files, () => ''), ...given]) {
    const at = one.indexOf('=');
    labels[at < 0 ? one : one.slice(0, at)] = at < 0 ? '' : one.slice(at + 1);
  }
  return labels;
}
