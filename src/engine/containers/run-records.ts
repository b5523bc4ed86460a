import { readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Exit } from '../../kernel/shim/shim-pool.ts';
import type { IoPaths } from '../../kernel/stdio/io-pool.ts';
import { ifExists, writeFileAtomic } from '../../util/files.ts';
import type { ExecRecord } from '../execs/exec.ts';
import type { Parts } from './parts.ts';

// What the next daemon must know of processes that outlive this one. The records lie below the exec root, which a reboot
// empties just as it ends the processes.

/** Notes which FIFOs a container's new process talks through; goes away with its bundle. */
export async function writeIoRecord(parts: Parts, id: string, paths: IoPaths): Promise<void> {
  await rm(join(parts.paths.bundles, id, 'exit.json'), { force: true });
  await writeFileAtomic(join(parts.paths.bundles, id, 'io.json'), JSON.stringify(paths), 0o600);
}

export async function readIoRecord(parts: Parts, id: string): Promise<IoPaths | undefined> {
  const text = await ifExists(() => readFile(join(parts.paths.bundles, id, 'io.json'), 'utf8'));
  return text === undefined ? undefined : (JSON.parse(text) as IoPaths);
}

/**
 * Notes how a container's process has ended, before its shim is told to forget it: whoever comes after a kill of the
 * daemon has nobody else to ask. Goes away with the bundle, once the row says the same.
 */
export async function writeExitRecord(parts: Parts, id: string, exit: Exit): Promise<void> {
  const path = join(parts.paths.bundles, id, 'exit.json');
  // A reboot empties the exec root, so nothing is flushed; but half a file must not be taken for a whole one.
  await writeFile(`${path}.tmp`, JSON.stringify(exit), { mode: 0o600 });
  await rename(`${path}.tmp`, path);
}

export async function readExitRecord(parts: Parts, id: string): Promise<Exit | undefined> {
  const text = await ifExists(() => readFile(join(parts.paths.bundles, id, 'exit.json'), 'utf8'));
  return text === undefined ? undefined : (JSON.parse(text) as Exit);
}

/** Notes that an exec runs, or is about to: its pid is not known beforehand. */
export async function writeExecRecord(parts: Parts, record: ExecRecord): Promise<void> {
  await writeFileAtomic(execPath(parts, record.id), JSON.stringify(record), 0o600);
}

export async function removeExecRecord(parts: Parts, id: string): Promise<void> {
  await rm(execPath(parts, id), { force: true });
}

/** The execs that ran when the last daemon died. */
export async function readExecRecords(parts: Parts): Promise<ExecRecord[]> {
  const names = (await ifExists(() => readdir(parts.paths.execs))) ?? [];
  const complete = names.filter((name) => name.endsWith('.json'));
  // Begun when the daemon was killed.
  await Promise.all(names.filter((name) => !complete.includes(name)).map((name) => rm(join(parts.paths.execs, name))));
  const texts = await Promise.all(complete.map((name) => readFile(join(parts.paths.execs, name), 'utf8')));
  return texts.map((text) => JSON.parse(text) as ExecRecord);
}

function execPath(parts: Parts, id: string): string {
  return join(parts.paths.execs, `${id}.json`);
}
