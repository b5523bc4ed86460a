import { type ErrorKind, kindOf } from '../util/errors.ts';

/** The one place where kinds of errors become HTTP statuses. */
const STATUS: Record<ErrorKind, number> = {
  invalid: 400,
  unauthorized: 401,
  forbidden: 403,
  'not-found': 404,
  conflict: 409,
  'not-modified': 304,
  unsupported: 501,
  unavailable: 503,
  internal: 500,
};

/** The HTTP status of any thrown value. */
export function statusOf(error: unknown): number {
  return STATUS[kindOf(error)];
}
