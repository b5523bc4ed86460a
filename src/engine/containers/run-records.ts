import { readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { IoPaths } from '../../kernel/stdio/io-pool.ts';
import { ifExists, writeFileAtomic } from '../../util/files.ts';
import type { ExecRecord } from '../execs/exec.ts';
import type { Parts } from './parts.ts';

// What the next daemon must know of processes that outlive this one. The records lie below the exec root, which a reboot
// empties just as it ends the processes.

/** Notes which FIFOs a container's process talks through; goes away with its bundle. */
export async function writeIoRecord(parts: Parts, id: string, paths: IoPaths): Promise<void> {
  await writeFileAtomic(join(parts.paths.bundles, id, 'io.json'), JSON.stringify(paths), 0o600);
}

export async function readIoRecord(parts: Parts, id: string): Promise<IoPaths | undefined> {
  const text = await ifExists(() => readFile(join(parts.paths.bundles, id, 'io.json'), 'utf8'));
  return text === undefined ? undefined : (JSON.parse(text) as IoPaths);
}

/** Notes that an exec runs. */
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
  const texts = await Promise.all(complete.map((name) => readFile(join(parts.paths.execs, name), 'utf8')));
  return texts.map((text) => JSON.parse(text) as ExecRecord);
}

function execPath(parts: Parts, id: string): string {
  return join(parts.paths.execs, `${id}.json`);
}
