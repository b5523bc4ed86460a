import { invalid } from '../../util/errors.ts';
import { parseMountMode } from './mount-mode.ts';

/** A container whose mounts another one takes over. */
export interface Donor {
  /** Its name, or the beginning of its id. */
  readonly ref: string;
  readonly readOnly: boolean;
}

/**
 * `container[:mode]`. Mounts keep the propagation they have in the donor, and nothing is copied into its volumes.
 *
 * @throws `invalid` in Docker's words.
 */
export function parseVolumesFrom(spec: string): Donor {
  if (spec === '') throw invalid('volumes-from specification cannot be an empty string');
  const [ref = '', ...words] = spec.split(':');
  const text = words.join(':');
  const mode = parseMountMode(text);
  if (mode === undefined || mode.propagation !== '' || mode.noCopy) throw invalid(`invalid mode: ${text}`);
  if (ref === '') throw invalid('invalid name or ID supplied: ""');
  return { ref, readOnly: mode.readOnly };
}
