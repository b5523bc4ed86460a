import { open } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { type CommandContext, ExitError } from './command.ts';
import { openError } from './run/env-files.ts';

/**
 * The archive that a command reads: the file of its `--input`, or standard input.
 *
 * @param verb what the command does, for the error
 * @throws `ExitError` for a file that cannot be opened, and for a terminal.
 */
export async function archiveInput(
  { stdin }: Pick<CommandContext, 'stdin'>,
  input: string,
  verb: string,
): Promise<Readable> {
  if (input === '') {
    if (stdin.isTTY) throw new ExitError(1, `requested ${verb} from stdin, but stdin is empty`);
    return stdin;
  }
  const file = await open(input).catch((error: unknown) => {
    throw openError(input, error);
  });
  return file.createReadStream();
}
