import type { Log } from '../../util/log.ts';
import { run } from '../../util/spawn.ts';
import { type Cidr, formatCidr, networkOf } from './ipv4.ts';

export type PortProtocol = 'tcp' | 'udp';

/** One published port. Addresses are dotted decimal. */
export interface PortRule {
  protocol: PortProtocol;
  /** An address of the host; undefined: any. */
  hostIp: string | undefined;
  hostPort: number;
  containerIp: string;
  containerPort: number;
}

/** The name of an engine's table. */
export const tableName = (tag: string): string => `gantry_${tag}`;

/** The maps and their key for a rule, in the words of nft. */
function element(rule: PortRule): { map: string; key: string; value: string } {
  const port = `${rule.protocol} . ${rule.hostPort}`;
  const value = `${rule.containerIp} . ${rule.containerPort}`;
  if (rule.hostIp === undefined) return { map: 'published', key: port, value };
  return { map: 'published_at', key: `${rule.hostIp} . ${port}`, value };
}

/**
 * The whole table as a script that replaces whatever was there in one transaction.
 *
 * - `guard`: the bridge routes 127.0.0.0/8 so that published ports answer there; nobody else may come in that way.
 * - `publish`: two lookups whatever the number of ports.
 * - `postrouting`: containers go out under the host's address; a published port reached from 127.0.0.1, or by a
 *   container over the same bridge, answers through the host.
 * - `forward`: only replies and published ports come in from outside, as under dockerd.
 */
export function tableScript(tag: string, bridge: string, gateway: Cidr, rules: Iterable<PortRule>): string {
  const table = tableName(tag);
  const subnet = formatCidr(networkOf(gateway));
  return `table ip ${table}
delete table ip ${table}
table ip ${table} {
  map published { type inet_proto . inet_service : ipv4_addr . inet_service; }
  map published_at { type ipv4_addr . inet_proto . inet_service : ipv4_addr . inet_service; }
  chain guard {
    type filter hook prerouting priority raw; policy accept;
    iifname != "lo" ip daddr 127.0.0.0/8 drop
    iifname "${bridge}" ip saddr 127.0.0.0/8 drop
  }
  chain publish {
    dnat ip to ip daddr . meta l4proto . th dport map @published_at
    dnat ip to meta l4proto . th dport map @published
  }
  chain prerouting {
    type nat hook prerouting priority dstnat; policy accept;
    meta l4proto { tcp, udp } fib daddr type local jump publish
  }
  chain output {
    type nat hook output priority -100; policy accept;
    meta l4proto { tcp, udp } fib daddr type local jump publish
  }
  chain postrouting {
    type nat hook postrouting priority srcnat; policy accept;
    oifname != "${bridge}" ip saddr ${subnet} masquerade
    oifname "${bridge}" ip saddr 127.0.0.0/8 masquerade
    oifname "${bridge}" ip saddr ${subnet} ct status dnat masquerade
  }
  chain forward {
    type filter hook forward priority filter; policy accept;
    oifname != "${bridge}" accept
    iifname "${bridge}" accept
    ct state established,related accept
    ct status dnat accept
    drop
  }
}
${[...rules].map((rule) => changeLine(tag, 'add', rule)).join('')}`;
}

function changeLine(tag: string, verb: 'add' | 'delete', rule: PortRule): string {
  const { map, key, value } = element(rule);
  return `${verb} element ip ${tableName(tag)} ${map} { ${key}${verb === 'add' ? ` : ${value}` : ''} }\n`;
}

export interface NftTableOptions {
  tag: string;
  bridge: string;
  gateway: Cidr;
  /** Ports published already, by an earlier daemon. */
  rules: readonly PortRule[];
  log: Log;
}

interface Change {
  verb: 'add' | 'delete';
  rule: PortRule;
}

/** The engine's own table. Changes asked for while one is being made go into the kernel together. */
export class NftTable {
  readonly #options: NftTableOptions;
  /** What the kernel shall hold, by map and key. */
  readonly #rules = new Map<string, PortRule>();
  #wanted: Change[] = [];
  #next: Promise<void> | undefined;
  #running: Promise<void>;

  constructor(options: NftTableOptions) {
    this.#options = options;
    for (const rule of options.rules) this.#rules.set(idOf(rule), rule);
    this.#running = this.rebuild();
  }

  /** Loads the table afresh from what it shall hold; connections that are open go on. */
  async rebuild(): Promise<void> {
    const { tag, bridge, gateway } = this.#options;
    await run('nft', ['-f', '-'], { input: tableScript(tag, bridge, gateway, this.#rules.values()) });
  }

  /** Resolves when all changes asked for are in the kernel. */
  async settled(): Promise<void> {
    await (this.#next ?? this.#running);
  }

  publish(rules: readonly PortRule[]): Promise<void> {
    return this.#change(rules.map((rule) => ({ verb: 'add', rule })));
  }

  /** What is not there is as good as removed. */
  withdraw(rules: readonly PortRule[]): Promise<void> {
    const present = rules.filter((rule) => this.#rules.get(idOf(rule))?.containerIp === rule.containerIp);
    return this.#change(present.map((rule) => ({ verb: 'delete', rule })));
  }

  /**
   * Loads the table again if somebody has flushed it: without `guard` containers could reach what listens on the host's
   * loopback alone. Never rejects: what fails is logged.
   */
  async check(): Promise<void> {
    await this.#enqueue([]).catch((error: unknown) =>
      this.#options.log.warn('the nftables table cannot be loaded', { error }),
    );
  }

  async remove(): Promise<void> {
    await this.settled().catch(() => {});
    await removeTable(this.#options.tag);
  }

  #change(changes: readonly Change[]): Promise<void> {
    if (changes.length === 0) return Promise.resolve();
    for (const { verb, rule } of changes) {
      if (verb === 'add') this.#rules.set(idOf(rule), rule);
      else this.#rules.delete(idOf(rule));
    }
    return this.#enqueue(changes);
  }

  #enqueue(changes: readonly Change[]): Promise<void> {
    this.#wanted.push(...changes);
    this.#next ??= this.#running
      .catch(() => {})
      .then(() => {
        this.#next = undefined;
        this.#running = this.#apply(this.#wanted.splice(0));
        return this.#running;
      });
    return this.#next;
  }

  /** Fails, and so loads everything again, where the table is not there; also without a change. */
  async #apply(changes: readonly Change[]): Promise<void> {
    const { tag } = this.#options;
    const lines = changes.map(({ verb, rule }) => changeLine(tag, verb, rule));
    const input = lines.length === 0 ? `list chain ip ${tableName(tag)} guard\n` : lines.join('');
    try {
      await run('nft', ['-f', '-'], { input });
    } catch (error) {
      // Somebody flushed the rule set, most likely.
      this.#options.log.warn('the nftables table was not as expected, loading it again', { error });
      await this.rebuild();
    }
  }
}

function idOf(rule: PortRule): string {
  const { map, key } = element(rule);
  return `${map} ${key}`;
}

/** Removes an engine's table; no error when there is none. */
export async function removeTable(tag: string): Promise<void> {
  const table = tableName(tag);
  await run('nft', ['-f', '-'], { input: `table ip ${table}\ndelete table ip ${table}\n` });
}
