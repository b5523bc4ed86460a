import { renameSync, rmSync, writeFileSync } from 'node:fs';
import { readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Exit } from '../../kernel/shim/shim-pool.ts';
import type { IoPaths } from '../../kernel/stdio/io-pool.ts';
import { ifExists } from '../../util/files.ts';
import type { ExecRecord } from '../execs/exec.ts';
import type { Parts } from './parts.ts';

// What the next daemon must know of processes that outlive this one. The records lie below the exec root, which a reboot
// empties just as it ends the processes.

/** Nothing is flushed, for the reason above; but half a file must not be taken for a whole one. */
function writeRecord(path: string, record: object): void {
  writeFileSync(`${path}.tmp`, JSON.stringify(record), { mode: 0o600 });
  renameSync(`${path}.tmp`, path);
}

/** Notes which FIFOs a container's new process talks through; goes away with its bundle. */
export function writeIoRecord(parts: Parts, id: string, paths: IoPaths): void {
  rmSync(join(parts.paths.bundles, id, 'exit.json'), { force: true });
  writeRecord(join(parts.paths.bundles, id, 'io.json'), paths);
}

export async function readIoRecord(parts: Parts, id: string): Promise<IoPaths | undefined> {
  const text = await ifExists(() => readFile(join(parts.paths.bundles, id, 'io.json'), 'utf8'));
  return text === undefined ? undefined : (JSON.parse(text) as IoPaths);
}

/**
 * Notes how a container's process has ended, before its shim is told to forget it: whoever comes after a kill of the
 * daemon has nobody else to ask. Goes away with the bundle, once the row says the same.
 */
export function writeExitRecord(parts: Parts, id: string, exit: Exit): void {
  writeRecord(join(parts.paths.bundles, id, 'exit.json'), exit);
}

export async function readExitRecord(parts: Parts, id: string): Promise<Exit | undefined> {
  const text = await ifExists(() => readFile(join(parts.paths.bundles, id, 'exit.json'), 'utf8'));
  return text === undefined ? undefined : (JSON.parse(text) as Exit);
}

/** Notes that an exec runs, or is about to: its pid is not known beforehand. */
export function writeExecRecord(parts: Parts, record: ExecRecord): void {
  writeRecord(execPath(parts, record.id), record);
}

export function removeExecRecord(parts: Parts, id: string): void {
  rmSync(execPath(parts, id), { force: true });
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
