import { firstError, GantryError, internal, invalid, messageOf } from '../../util/errors.ts';

/** Why a process could not be started: the error to answer and the exit code to record. */
export interface StartFailure {
  readonly error: GantryError;
  readonly exitCode: 126 | 127 | 128;
}

/**
 * Reads the runtime's message as Docker does, because its CLI turns the words into the exit code of `docker run`:
 * 127 for a command or another file that is not there, 126 for one that cannot be executed, 128 for everything else.
 */
export function startFailure(error: unknown): StartFailure {
  const thrown = firstError(error);
  if (thrown instanceof GantryError && thrown.kind !== 'internal') return { error: thrown, exitCode: 128 };
  const message = messageOf(thrown);
  // A port that cannot be bound says "permission denied" too, and is no fault of the command.
  if (!message.includes('OCI runtime')) return { error: asError(thrown, message), exitCode: 128 };
  // A runtime that fails without a word: the file that is missing is its own log.
  if (message.includes('unable to retrieve OCI runtime error'))
    return { error: asError(thrown, message), exitCode: 128 };
  const says = (...words: string[]) => words.some((word) => message.includes(word));
  if (says('not a directory')) {
    const hint =
      'Are you trying to mount a directory onto a file (or vice-versa)? Check if the specified host path exists and is the expected type';
    return { error: invalid(`${message}: ${hint}`, thrown), exitCode: 127 };
  }
  if (says('permission denied', 'is a directory')) return { error: invalid(message, thrown), exitCode: 126 };
  if (says('executable file not found', 'no such file or directory')) {
    return { error: invalid(message, thrown), exitCode: 127 };
  }
  return { error: asError(thrown, message), exitCode: 128 };
}

function asError(thrown: unknown, message: string): GantryError {
  return thrown instanceof GantryError ? thrown : internal(message, thrown);
}
