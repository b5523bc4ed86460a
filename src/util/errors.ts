/** What went wrong, in the terms every edge (HTTP status, exit code, registry code) maps from. */
export type ErrorKind =
  | 'invalid'
  | 'unauthorized'
  | 'forbidden'
  | 'not-found'
  | 'conflict'
  | 'not-modified'
  | 'unsupported'
  | 'unavailable'
  | 'internal';

/** The one error class of the project. The message is meant for the user and matches Docker's words. */
export class GantryError extends Error {
  readonly kind: ErrorKind;

  constructor(kind: ErrorKind, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'GantryError';
    this.kind = kind;
  }
}

const of =
  (kind: ErrorKind) =>
  (message: string, cause?: unknown): GantryError =>
    new GantryError(kind, message, cause === undefined ? undefined : { cause });

export const invalid = of('invalid');
export const unauthorized = of('unauthorized');
export const forbidden = of('forbidden');
export const notFound = of('not-found');
export const conflict = of('conflict');
export const notModified = of('not-modified');
export const unsupported = of('unsupported');
export const unavailable = of('unavailable');
export const internal = of('internal');

/**
 * What went wrong first. Where what had been begun could not be undone either, a disposal throws its own error with the first one behind it; nobody
 * who asked for something wants to hear of that one.
 */
export function firstError(error: unknown): unknown {
  return error instanceof SuppressedError ? firstError(error.suppressed) : error;
}

/** What went wrong afterwards, while it was being undone, in that order, also behind an error that gives this one as its cause. */
export function laterErrors(error: unknown): unknown[] {
  if (error instanceof SuppressedError) {
    return [...laterErrors(error.suppressed), firstError(error.error), ...laterErrors(error.error)];
  }
  return error instanceof Error && error.cause !== undefined ? laterErrors(error.cause) : [];
}

/** The kind of any thrown value; whatever is not ours is `internal`. */
export function kindOf(error: unknown): ErrorKind {
  const first = firstError(error);
  return first instanceof GantryError ? first.kind : 'internal';
}

/** The text to show for any thrown value. */
export function messageOf(error: unknown): string {
  const first = firstError(error);
  return first instanceof Error ? first.message : String(first);
}

/** True when `error` is a Node system error with one of the given codes, e.g. `ENOENT`. */
export function hasCode(error: unknown, ...codes: string[]): boolean {
  const first = firstError(error);
  return first instanceof Error && 'code' in first && codes.includes(String(first.code));
}
