import { GantryError, kindOf, messageOf } from '../../../util/errors.ts';

/** Says what was being done when a plugin failed. As in Docker one that cannot be reached is no other failure than one that it tells of. */
export function pluginError(what: string, error: unknown): Error {
  const kind = kindOf(error);
  return new GantryError(kind === 'unavailable' ? 'internal' : kind, `${what}: ${messageOf(error)}`, { cause: error });
}
