import * as v from 'valibot';
import { type Cidr, formatCidr, formatIpv4, networkOf, overlaps, parseCidr } from '../../kernel/net/ipv4.ts';
import { chooseSubnet, usedSubnets } from '../../kernel/net/subnets.ts';
import type { Db } from '../../store/db.ts';
import { invalid } from '../../util/errors.ts';
import { randomId } from '../../util/id.ts';
import type { Log } from '../../util/log.ts';
import type { NetworkView } from '../engine.ts';

/** What is remembered of the networks every engine has. `gateway` is the bridge's address, `172.17.0.1/16`. */
const FactSchema = v.object({
  created: v.string(),
  bridge: v.string(),
  host: v.string(),
  none: v.string(),
  gateway: v.string(),
});
export type PredefinedFact = v.InferOutput<typeof FactSchema>;

const KEY = 'networks';

function load(db: Db): PredefinedFact | undefined {
  const row = db.sql.prepare('SELECT value FROM facts WHERE key = ?').get(KEY);
  return row === undefined ? undefined : v.parse(FactSchema, JSON.parse(String(row['value'])));
}

function save(db: Db, fact: PredefinedFact): void {
  const sql = 'INSERT INTO facts (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value';
  db.sql.prepare(sql).run(KEY, JSON.stringify(fact));
}

export interface PredefinedOptions {
  db: Db;
  /** Name of the bridge device. */
  bridge: string;
  bip: string | undefined;
  log: Log;
}

/**
 * The ids and the address of the networks this engine always has: as remembered, or made up and remembered.
 * A remembered subnet that the host routes elsewhere by now is given up for a free one.
 *
 * @throws `invalid` when `bip` is not an address with a prefix length; `internal` when no subnet is free.
 */
export async function predefinedNetworks({ db, bridge, bip, log }: PredefinedOptions): Promise<PredefinedFact> {
  const known = load(db);
  const gateway = bip ?? (await freeGateway(bridge, known?.gateway, log));
  if (bip !== undefined) checkBip(bip);
  const fresh = { created: new Date().toISOString(), bridge: randomId(), host: randomId(), none: randomId() };
  const fact = { ...fresh, ...known, gateway };
  if (known?.gateway !== gateway) save(db, fact);
  return fact;
}

async function freeGateway(bridge: string, known: string | undefined, log: Log): Promise<string> {
  const used = await usedSubnets(bridge);
  const block = parseCidr(known ?? '');
  if (known !== undefined && block !== undefined) {
    if (!used.some((other) => overlaps(other, block))) return known;
    log.warn('the subnet of the default bridge is in use on this host, choosing another', { subnet: known });
  }
  const subnet = chooseSubnet(used);
  return formatCidr({ address: subnet.address + 1, prefix: subnet.prefix });
}

function checkBip(bip: string): void {
  const block = parseCidr(bip);
  if (block === undefined || !bip.includes('/')) throw invalid(`invalid bip "${bip}": invalid CIDR address: ${bip}`);
  const host = block.address - networkOf(block).address;
  if (block.prefix > 30 || block.prefix < 8 || host === 0) {
    throw invalid(`invalid bip "${bip}": it must be the address of a host in a subnet of /8 to /30`);
  }
}

/** The three networks, as the API shows them. */
export function networkViews(fact: PredefinedFact, bridge: string, gateway: Cidr): NetworkView[] {
  const base = { created: fact.created, internal: false, ipam: [], options: {}, labels: {} };
  const options = {
    'com.docker.network.bridge.default_bridge': 'true',
    'com.docker.network.bridge.enable_icc': 'true',
    'com.docker.network.bridge.enable_ip_masquerade': 'true',
    'com.docker.network.bridge.host_binding_ipv4': '0.0.0.0',
    'com.docker.network.bridge.name': bridge,
    'com.docker.network.driver.mtu': '1500',
  };
  const ipam = [{ subnet: formatCidr(networkOf(gateway)), gateway: formatIpv4(gateway.address) }];
  return [
    { ...base, id: fact.bridge, name: 'bridge', driver: 'bridge', ipam, options },
    { ...base, id: fact.host, name: 'host', driver: 'host' },
    { ...base, id: fact.none, name: 'none', driver: 'null' },
  ];
}
