import type { SeenUserns, UserNamespace } from '../../kernel/userns/user-namespace.ts';
import type { HostConfig } from '../../spec/container.ts';
import type { Parts } from './parts.ts';

/** The user namespace a container is in when it starts; undefined: the host's. */
export function usernsOf(
  { userns }: Pick<Parts, 'userns'>,
  { hostConfig }: { readonly hostConfig: Pick<HostConfig, 'UsernsMode'> },
): UserNamespace | undefined {
  return hostConfig.UsernsMode === 'host' ? undefined : userns;
}

/** As {@link usernsOf}, with where the container finds the engine's directories now. */
export async function seenUserns(
  parts: Pick<Parts, 'userns'>,
  container: Parameters<typeof usernsOf>[1],
): Promise<SeenUserns | undefined> {
  return usernsOf(parts, container)?.look();
}

/** Root inside, by its ids on the host. */
export function rootOf(userns: Pick<UserNamespace, 'root'> | undefined): UserNamespace['root'] {
  return userns?.root ?? { uid: 0, gid: 0 };
}
