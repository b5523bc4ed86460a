import * as v from 'valibot';
import { messageOf } from '../../util/errors.ts';
import type { Log } from '../../util/log.ts';
import { run } from '../../util/spawn.ts';

const ListingSchema = v.object({
  nftables: v.array(
    v.object({
      chain: v.optional(
        v.object({
          family: v.string(),
          table: v.string(),
          name: v.string(),
          hook: v.optional(v.string(), ''),
          policy: v.optional(v.string(), ''),
        }),
      ),
      rule: v.optional(v.object({ handle: v.number(), comment: v.optional(v.string(), '') })),
    }),
  ),
});
type Listing = v.InferOutput<typeof ListingSchema>;

/** A chain of somebody else's, in the words of nft: family, table, name. */
export type ChainName = `${string} ${string} ${string}`;

async function list(...what: string[]): Promise<Listing> {
  const { stdout } = await run('nft', ['-j', '-a', 'list', ...what]);
  return v.parse(ListingSchema, JSON.parse(stdout));
}

/** The handles of our rules in a chain. None when the chain is not there: its owner may go at any time. */
async function handles(chain: ChainName, bridge: string): Promise<number[]> {
  const { code, stdout } = await run('nft', ['-j', '-a', 'list', 'chain', ...chain.split(' ')], { allowFailure: true });
  if (code !== 0) return [];
  const listing = v.parse(ListingSchema, JSON.parse(stdout));
  return listing.nftables.flatMap(({ rule }) => (rule?.comment === commentOf(bridge) ? [rule.handle] : []));
}

/**
 * Chains in which our bridge must be accepted, because what they drop no other table can let pass: dockerd's hook
 * for others, `DOCKER-USER`, or else any forward chain whose policy is to drop.
 */
export function droppingChains(listing: Listing): ChainName[] {
  const chains = listing.nftables.flatMap((item) => item.chain ?? []);
  return chains
    .filter((chain) => chain.hook === 'forward' && chain.policy === 'drop' && /^(ip|inet)$/.test(chain.family))
    .map(({ family, table, name }) => {
      const hook = chains.some((c) => c.family === family && c.table === table && c.name === 'DOCKER-USER');
      return `${family} ${table} ${hook && name === 'FORWARD' ? 'DOCKER-USER' : name}` as const;
    });
}

/**
 * The rules to put at the top of such a chain. What may come in is decided by our own table, whose drop is final too.
 * Only what iptables-nft can read: dockerd keeps using these chains through it. Other bridges stay apart.
 */
export function acceptScript(chain: ChainName, bridge: string): string {
  const comment = `counter accept comment "${commentOf(bridge)}"`;
  const apart = ['docker0', 'br-*'].map(
    (other) => `iifname "${bridge}" oifname "${other}" counter return comment "${commentOf(bridge)}"`,
  );
  // Inserted one above the other: the last comes to stand first.
  return [
    `iifname "${bridge}" ${comment}`,
    `oifname "${bridge}" ${comment}`,
    ...(chain.endsWith(' DOCKER-USER') ? apart : []),
  ]
    .map((rule) => `insert rule ${chain} ${rule}\n`)
    .join('');
}

const commentOf = (bridge: string): string => `gantry ${bridge}`;

/** Keeps our bridge accepted where the host's firewall, or dockerd, drops what is forwarded. */
export class ForwardPolicy {
  readonly #bridge: string;
  readonly #log: Log;
  /** By a clock that nobody sets. */
  #checkedAt = Number.NEGATIVE_INFINITY;
  #running: Promise<void> | undefined;
  #complaint = '';

  constructor(bridge: string, log: Log) {
    this.#bridge = bridge;
    this.#log = log;
  }

  /** Looks again unless it did so less than `maxAge` milliseconds ago. Never rejects: what fails is logged once. */
  check(maxAge = 0): Promise<void> {
    if (this.#running === undefined && performance.now() - this.#checkedAt < maxAge) return Promise.resolve();
    this.#running ??= this.#checkAll().finally(() => {
      this.#checkedAt = performance.now();
      this.#running = undefined;
    });
    return this.#running;
  }

  async #checkAll(): Promise<void> {
    try {
      for (const chain of droppingChains(await list('chains'))) await this.#accept(chain);
      this.#complaint = '';
    } catch (error) {
      if (messageOf(error) === this.#complaint) return;
      this.#complaint = messageOf(error);
      this.#log.warn('the host firewall may drop the traffic of containers', { error });
    }
  }

  async #accept(chain: ChainName): Promise<void> {
    if ((await handles(chain, this.#bridge)).length > 0) return;
    await run('nft', ['-f', '-'], { input: acceptScript(chain, this.#bridge) });
  }

  /** Takes every rule of ours back, wherever it is. */
  async withdraw(): Promise<void> {
    await this.#running;
    const { nftables } = await list('chains');
    const names = nftables.flatMap(({ chain }): ChainName[] => {
      const ours =
        chain !== undefined &&
        /^(ip|inet)$/.test(chain.family) &&
        (chain.hook === 'forward' || chain.name === 'DOCKER-USER');
      return ours ? [`${chain.family} ${chain.table} ${chain.name}`] : [];
    });
    for (const name of names) await this.#withdrawFrom(name);
  }

  async #withdrawFrom(chain: ChainName): Promise<void> {
    const lines = (await handles(chain, this.#bridge)).map((handle) => `delete rule ${chain} handle ${handle}\n`);
    if (lines.length > 0) await run('nft', ['-f', '-'], { input: lines.join(''), allowFailure: true });
  }
}
