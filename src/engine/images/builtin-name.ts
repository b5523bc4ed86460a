import { familiarString, type ImageReference } from '../../spec/reference.ts';
import { invalid } from '../../util/errors.ts';

/** Names below it belong to the engine. */
const RESERVED = 'docker.io/builtin/';
export const BUILTIN_BUSYBOX = 'docker.io/builtin/busybox';

const isBuiltin = (reference: ImageReference): boolean => reference.name.startsWith(RESERVED);

/** @throws `invalid` for a name below `builtin/`. */
export function refuseBuiltin(reference: ImageReference): void {
  if (isBuiltin(reference)) {
    throw invalid(`${familiarString(reference)}: names below builtin/ are reserved for the engine's own images`);
  }
}
