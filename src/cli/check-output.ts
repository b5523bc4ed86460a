import { statSync } from 'node:fs';
import { dirname } from 'node:path';
import { ExitError } from './command.ts';

/** A file that an archive can be written to. @param failed what could not be done otherwise. @throws `ExitError` in Docker's words. */
export function checkOutput(output: string, failed: string): void {
  const refuse = (why: string): never => {
    throw new ExitError(1, `${failed}: ${why}`);
  };
  const dir = dirname(output);
  if (statSync(dir, { throwIfNoEntry: false }) === undefined) {
    refuse(`invalid output path: stat ${dir}: no such file or directory`);
  }
  const target = statSync(output, { throwIfNoEntry: false });
  if (target?.isDirectory() === true) refuse('cannot write to a directory');
  if (target?.isCharacterDevice() === true) refuse('cannot write to a character device file');
  if (target?.isBlockDevice() === true) refuse('cannot write to a block device file');
}
