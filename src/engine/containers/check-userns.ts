import type { IdMaps } from '../../kernel/userns/id-map.ts';
import { hasMaps } from '../../kernel/userns/process-maps.ts';
import { invalid } from '../../util/errors.ts';
import { validateUserns } from '../runtime-spec/validate-userns.ts';
import type { Container } from './model.ts';
import type { Joined } from './peers.ts';

/**
 * Checks at a start that the ids of a container are mapped in all it has: it may have been made when they were not to be, and
 * whom it joins may have been started then. One that stays in the host's user namespace may join whom it likes.
 *
 * @throws `invalid`, in Docker's words where Docker says it.
 */
export async function checkUserns(
  { hostConfig }: Pick<Container, 'hostConfig'>,
  userns: { readonly maps: IdMaps } | undefined,
  { owners }: Pick<Joined, 'owners'>,
): Promise<void> {
  if (userns === undefined) return;
  validateUserns(hostConfig);
  for (const [namespace, { id, state }] of Object.entries(owners)) {
    if (await hasMaps(state.pid, userns.maps)) continue;
    throw invalid(
      `cannot share the ${namespace} namespace of container ${id} when user namespaces are enabled: its ids are mapped otherwise`,
    );
  }
}
