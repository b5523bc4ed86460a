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

/** The kind of any thrown value; whatever is not ours is `internal`. */
export function kindOf(error: unknown): ErrorKind {
  return error instanceof GantryError ? error.kind : 'internal';
}

/** The text to show for any thrown value. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** True when `error` is a Node system error with one of the given codes, e.g. `ENOENT`. */
export function hasCode(error: unknown, ...codes: string[]): boolean {
  return error instanceof Error && 'code' in error && codes.includes(String(error.code));
}
