import { getSystemErrorMessage } from 'node:util';

/** What the system calls an error, as `connection refused`; the message of an error that is not the system's. */
export function errnoText(error: unknown): string {
  const { errno, message, errors } = error as NodeJS.ErrnoException & { errors?: unknown[] };
  // Several addresses of one name: the last one tried speaks for all.
  if (Array.isArray(errors) && errors.length > 0) return errnoText(errors.at(-1));
  return typeof errno === 'number' ? getSystemErrorMessage(errno) : message;
}
