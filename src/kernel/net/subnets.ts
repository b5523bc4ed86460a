import { readFile } from 'node:fs/promises';
import * as v from 'valibot';
import { internal } from '../../util/errors.ts';
import { ifExists } from '../../util/files.ts';
import { run } from '../../util/spawn.ts';
import { type Cidr, overlaps, parseCidr } from './ipv4.ts';

const RoutesSchema = v.array(v.object({ dst: v.string(), dev: v.optional(v.string(), '') }));

/** Docker's default pools: 172.17.0.0/16 to 172.31.0.0/16, then 192.168.0.0/16 in blocks of /20. */
export function* defaultPools(): Generator<Cidr> {
  for (let second = 17; second <= 31; second += 1) yield { address: ((172 << 24) | (second << 16)) >>> 0, prefix: 16 };
  for (let third = 0; third < 256; third += 16) {
    yield { address: ((192 << 24) | (168 << 16) | (third << 8)) >>> 0, prefix: 20 };
  }
}

/**
 * The first default pool that overlaps nothing in `used`.
 *
 * @throws `internal` with Docker's text when every one does.
 */
export function chooseSubnet(used: readonly Cidr[]): Cidr {
  for (const pool of defaultPools()) {
    if (!used.some((block) => overlaps(block, pool))) return pool;
  }
  throw internal(
    'could not find an available, non-overlapping IPv4 address pool among the defaults to assign to the network',
  );
}

/** Blocks the host routes somewhere other than `exceptDevice` (the default route aside), and its resolvers' addresses. */
export async function usedSubnets(exceptDevice: string): Promise<Cidr[]> {
  const { stdout } = await run('ip', ['-json', '-4', 'route', 'show']);
  const routes = v.parse(RoutesSchema, JSON.parse(stdout.trim() || '[]'));
  const taken = routes.filter((route) => route.dev !== exceptDevice && route.dst !== 'default');
  const resolvers = (await ifExists(() => readFile('/etc/resolv.conf', 'utf8'))) ?? '';
  const servers = resolvers.matchAll(/^\s*nameserver\s+(\S+)/gm).map((match) => match[1] ?? '');
  return [...taken.map((route) => route.dst), ...servers].flatMap((text) => parseCidr(text) ?? []);
}
