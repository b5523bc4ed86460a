import { readFileSync, writeFileSync } from 'node:fs';
import * as v from 'valibot';
import { run } from '../../util/spawn.ts';
import { type Cidr, formatCidr, macOf } from './ipv4.ts';

const LinksSchema = v.array(
  v.object({
    addr_info: v.optional(v.array(v.object({ family: v.string(), local: v.string(), prefixlen: v.number() })), []),
  }),
);

const FORWARDING = '/proc/sys/net/ipv4/ip_forward';

/** The IPv4 addresses of an interface, `10.0.0.1/16`; undefined when there is no such interface. */
export async function addressesOf(device: string): Promise<string[] | undefined> {
  const result = await run('ip', ['-json', 'addr', 'show', 'dev', device], { allowFailure: true });
  if (result.code !== 0) return undefined;
  const [link] = v.parse(LinksSchema, JSON.parse(result.stdout));
  return (link?.addr_info ?? []).filter((a) => a.family === 'inet').map((a) => `${a.local}/${a.prefixlen}`);
}

/**
 * Makes the bridge device, or brings an existing one to the address given, and lets the host forward packets.
 *
 * `route_localnet` on it makes published ports answer on 127.0.0.1; the nftables table of the engine keeps
 * everybody else out of 127.0.0.0/8.
 */
export async function ensureBridge(device: string, gateway: Cidr): Promise<void> {
  const present = await addressesOf(device);
  const wanted = formatCidr(gateway);
  const lines = present === undefined ? [`link add ${device} type bridge`] : [];
  for (const old of present ?? []) if (old !== wanted) lines.push(`addr del ${old} dev ${device}`);
  // Without an address of its own the bridge takes one of its ports' and changes it whenever ports come and go.
  lines.push(`link set dev ${device} address ${macOf(gateway.address)} up`);
  if (present?.includes(wanted) !== true) lines.push(`addr add ${wanted} brd + dev ${device}`);
  await run('ip', ['-batch', '-'], { input: `${lines.join('\n')}\n` });
  writeFileSync(`/proc/sys/net/ipv4/conf/${device}/route_localnet`, '1');
  // As dockerd does; never taken back, since nobody can know who relies on it by then.
  if (readFileSync(FORWARDING, 'utf8').trim() !== '1') writeFileSync(FORWARDING, '1');
}

export async function removeBridge(device: string): Promise<void> {
  await run('ip', ['link', 'del', 'dev', device], { allowFailure: true });
}
