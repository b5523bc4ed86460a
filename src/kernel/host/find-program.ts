import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, isAbsolute, join } from 'node:path';

/** Where programs are even when the daemon was started with a poor PATH. */
const USUAL = ['/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin', '/sbin', '/bin'];

/** The absolute path of the first of some programs that is installed; empty when none is. */
export function findProgram(...names: string[]): string {
  const dirs = [...(process.env['PATH'] ?? '').split(delimiter).filter(isAbsolute), ...USUAL];
  const paths = names.flatMap((name) => (isAbsolute(name) ? [name] : dirs.map((dir) => join(dir, name))));
  return paths.find(isExecutable) ?? '';
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}
