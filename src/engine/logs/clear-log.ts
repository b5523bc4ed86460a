import { rmSync, truncateSync } from 'node:fs';
import { hasCode, unsupported } from '../../util/errors.ts';
import { keptFiles } from './log-config.ts';
import type { LogSource } from './read-logs.ts';
import { removeOlder } from './rotated-files.ts';

/**
 * Empties a container's log, whether its process lives or not. What was sent to a receiver stays there.
 *
 * @throws `unsupported` when nothing is kept.
 */
export function clearLog({ config, path, writer }: LogSource): void {
  if (keptFiles(config).Type === 'none') throw unsupported('configured logging driver does not support clearing');
  const file = writer?.file;
  if (file !== undefined && !file.closed) file.clear();
  else clearFiles(path);
}

function clearFiles(path: string): void {
  removeOlder(path);
  rmSync(`${path}.unfinished`, { force: true });
  try {
    truncateSync(path);
  } catch (error) {
    // A container that never ran has no log yet.
    if (!hasCode(error, 'ENOENT')) throw error;
  }
}
