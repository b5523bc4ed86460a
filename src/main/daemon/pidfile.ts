import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { conflict, hasCode } from '../../util/errors.ts';

/**
 * Writes this process's id to a file and removes it when disposed of.
 *
 * @throws `conflict` when the process named in an existing file is alive and a Gantry engine.
 */
export function claimPidfile(path: string): Disposable {
  mkdirSync(dirname(path), { recursive: true, mode: 0o711 });
  const holder = readPid(path);
  if (holder !== undefined && holder !== process.pid && runsDaemon(holder)) {
    throw conflict(`pid file found, ensure the engine is not running or delete ${path}`);
  }
  writeFileSync(path, `${process.pid}`, { mode: 0o644 });
  return {
    [Symbol.dispose]: () => {
      if (readPid(path) === process.pid) rmSync(path, { force: true });
    },
  };
}

function readPid(path: string): number | undefined {
  try {
    const pid = Number(readFileSync(path, 'utf8').trim());
    return Number.isInteger(pid) && pid > 0 ? pid : undefined;
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return undefined;
    throw error;
  }
}

/** The id may have gone to another process since; only one with our command line counts. */
function runsDaemon(pid: number): boolean {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'latin1').split('\0').includes('daemon');
  } catch {
    return false;
  }
}
