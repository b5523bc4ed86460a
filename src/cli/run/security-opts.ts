import { readFileSync } from 'node:fs';
import { invalid, messageOf } from '../../util/errors.ts';
import { openError } from './env-files.ts';

/** Checks `--security-opt` values and puts a seccomp profile's content in place of its path. */
export function parseSecurityOpts(values: readonly string[]): string[] {
  return values.map((value) => {
    const [key = '', rest] = value.split(/[=:](.*)/s);
    if (rest === undefined && key !== 'no-new-privileges')
      throw invalid(`Invalid --security-opt: ${JSON.stringify(value)}`);
    if (key !== 'seccomp' || rest === undefined || rest === 'unconfined' || rest === 'builtin') return value;
    return `seccomp=${profile(rest)}`;
  });
}

function profile(path: string): string {
  try {
    return JSON.stringify(JSON.parse(readFileSync(path, 'utf8')));
  } catch (error) {
    if (error instanceof SyntaxError)
      throw invalid(`compacting json for seccomp profile (${path}) failed: ${messageOf(error)}`);
    throw invalid(`opening seccomp profile (${path}) failed: ${messageOf(openError(path, error))}`);
  }
}

/** `systempaths=unconfined` is no option of the engine: it empties two lists. */
export function withoutSystemPaths(options: readonly string[]): { options: string[]; unconfined: boolean } {
  const kept = options.filter((option) => option !== 'systempaths=unconfined');
  return { options: kept, unconfined: kept.length !== options.length };
}
