import { mkdir } from 'node:fs/promises';
import { run } from '../../util/spawn.ts';
import { MAKE_NETWORK_NAMESPACES } from '../userns/namespace-script.ts';
import { NETNS_DIR, netnsPath } from './netns-names.ts';

/**
 * Makes bare network namespaces that belong to a user namespace, where `ip netns` finds them: only so may root in there mount
 * /sys, listen on low ports and send pings.
 */
export async function makeOwnedNetns(userns: string, names: readonly string[]): Promise<void> {
  await mkdir(NETNS_DIR, { recursive: true, mode: 0o755 });
  await run('perl', ['-e', MAKE_NETWORK_NAMESPACES, process.arch, userns, ...names.map(netnsPath)]);
}
