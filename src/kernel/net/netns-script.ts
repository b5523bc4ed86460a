import { existsSync } from 'node:fs';
import { type Cidr, formatCidr, formatIpv4, macOf } from './ipv4.ts';
import { netnsPath } from './netns-names.ts';

/** One namespace to be made: with an address it gets an `eth0` on the bridge, without one only `lo`. */
export interface NetnsPlan {
  netns: string;
  /** Name of the host's end of the pair. */
  veth: string;
  address: number | undefined;
}

const HOST_HAS_IPV6 = existsSync('/proc/sys/net/ipv6');
const IPV6_OFF = ['all', 'default'].map((name) => `/proc/sys/net/ipv6/conf/${name}/disable_ipv6`);

/**
 * A shell script that makes all the namespaces: one `ip` for everything on the host's side and one inside each.
 * With `there` the namespaces exist, bare. Their sysctls are what dockerd leaves: IPv6 off before the first interface comes up.
 */
export function netnsScript(
  plans: readonly NetnsPlan[],
  bridge: string,
  gateway: Cidr,
  { there = false }: { readonly there?: boolean } = {},
): string {
  const added = there ? [] : plans.map(({ netns }) => `netns add ${netns}`);
  const outside = [...added, ...plans.flatMap((plan) => hostLines(plan, bridge))];
  const inside = plans.flatMap((plan) => [
    `nsenter --net=${netnsPath(plan.netns)} sh -e <<'INSIDE'`,
    ...IPV6_OFF.map((path) => `[ ! -e ${path} ] || echo 1 >${path}`),
    `exec ip -batch - <<'LINES'`,
    ...insideLines(plan, gateway),
    'LINES',
    'INSIDE',
  ]);
  return ['set -e', `ip -batch - <<'LINES'`, ...outside, 'LINES', ...inside, ''].join('\n');
}

function hostLines({ netns, veth, address }: NetnsPlan, bridge: string): string[] {
  if (address === undefined) return [];
  return [
    `link add ${veth} master ${bridge} type veth peer name eth0 address ${macOf(address)} netns ${netns}`,
    // No link-local address on the host's end: nobody speaks to it, and each costs a round of duplicate detection.
    ...(HOST_HAS_IPV6 ? [`link set dev ${veth} addrgenmode none`] : []),
    // A container that reaches itself by its published port comes back over the same port of the bridge.
    `link set dev ${veth} type bridge_slave hairpin on`,
    `link set dev ${veth} up`,
  ];
}

function insideLines({ address }: NetnsPlan, gateway: Cidr): string[] {
  if (address === undefined) return ['link set dev lo up'];
  const own = formatCidr({ address, prefix: gateway.prefix });
  return [
    'link set dev lo up',
    `addr add ${own} brd + dev eth0`,
    'link set dev eth0 up',
    `route add default via ${formatIpv4(gateway.address)} dev eth0`,
  ];
}
