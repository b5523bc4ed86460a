import { pipeline } from 'node:stream/promises';
import { type CommandContext, ExitError } from './command.ts';
import { writeAside } from './write-aside.ts';

/**
 * Where a command writes an archive to: the file of its `--output`, or standard output. Gives what writes one there.
 *
 * @param check whether the file can be written to; it throws an `ExitError` in the words of Docker's same command
 * @throws `ExitError` before anything is asked of the engine: also for a terminal, which an archive would only garble.
 */
export function archiveOutput(
  { stdout }: Pick<CommandContext, 'stdout'>,
  output: string,
  check: (output: string) => void,
): (body: NodeJS.ReadableStream) => Promise<void> {
  if (output !== '') {
    check(output);
    return (body) => writeAside(body, output);
  }
  if (stdout.isTTY) {
    throw new ExitError(1, 'cowardly refusing to save to a terminal. Use the -o flag or redirect');
  }
  return (body) => pipeline(body, stdout, { end: false });
}
