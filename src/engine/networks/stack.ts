import { setTimeout as sleep } from 'node:timers/promises';
import type { AddressPool } from '../../kernel/net/addresses.ts';
import { removeBridge } from '../../kernel/net/bridge.ts';
import type { ForwardPolicy } from '../../kernel/net/forward-policy.ts';
import type { HostPorts, Publication } from '../../kernel/net/host-ports.ts';
import { type Cidr, formatIpv4, macOf } from '../../kernel/net/ipv4.ts';
import { listNetns, listVeths, NETNS_DIR, netnsPath } from '../../kernel/net/netns-names.ts';
import type { NetnsPool } from '../../kernel/net/netns-pool.ts';
import type { NetnsReaper } from '../../kernel/net/netns-reaper.ts';
import type { NftTable, PortRule } from '../../kernel/net/nft-table.ts';
import { conflict, internal, messageOf } from '../../util/errors.ts';
import { randomId } from '../../util/id.ts';
import { KeyedLock } from '../../util/keyed-lock.ts';
import type { Log } from '../../util/log.ts';
import type { Endpoint } from '../containers/model.ts';
import type { Filters, NetworkView } from '../engine.ts';
import { containerFiles } from './container-files.ts';
import type { FilesRequest, JoinRequest, NetworkStack, Sandbox } from './networks.ts';
import { portKeys, portMap, portRequests } from './port-requests.ts';
import type { SandboxRecord, SandboxRecords } from './sandbox-records.ts';
import { findNetwork, selectNetworks } from './select-networks.ts';

/** How old the last look at the host's firewall may be when a container joins, and how often it is looked at anyway. */
const FIREWALL_FRESH_MS = 5_000;
const FIREWALL_EVERY_MS = 15_000;

export interface StackParts {
  tag: string;
  bridge: string;
  gateway: Cidr;
  views: readonly NetworkView[];
  /** Records of an earlier daemon, and namespaces that no record names. */
  earlier: readonly SandboxRecord[];
  strays: readonly string[];
  records: SandboxRecords;
  addresses: AddressPool;
  reaper: NetnsReaper;
  pool: NetnsPool;
  /** Namespaces that belong to the host's user namespace; the same pool unless containers are remapped. */
  hostPool: NetnsPool;
  table: NftTable;
  firewall: ForwardPolicy;
  ports: HostPorts;
  dns: readonly string[];
  log: Log;
}

interface Joined {
  readonly record: SandboxRecord;
  publication: Publication | undefined;
}

/** The rules NAT needs for a record; an IPv6 address is served by the listener alone. */
export function portRules({ address, published }: SandboxRecord): PortRule[] {
  return published
    .filter(({ hostIp }) => !hostIp.includes(':'))
    .map(({ protocol, hostIp, hostPort, containerPort }) => ({
      protocol,
      hostIp: hostIp === '0.0.0.0' ? undefined : hostIp,
      hostPort,
      containerIp: formatIpv4(address),
      containerPort,
    }));
}

export class Stack implements NetworkStack {
  readonly #parts: StackParts;
  readonly #joined = new Map<string, Joined>();
  readonly #lock = new KeyedLock();
  readonly #timer: NodeJS.Timeout;
  #looking: Promise<void> = Promise.resolve();

  constructor(parts: StackParts) {
    this.#parts = parts;
    for (const record of parts.earlier) this.#joined.set(record.containerId, { record, publication: undefined });
    this.#timer = setInterval(() => this.#lookAtAll(), FIREWALL_EVERY_MS).unref();
  }

  list(filters: Filters): NetworkView[] {
    return selectNetworks(this.#parts.views, filters);
  }

  get(ref: string): NetworkView {
    return findNetwork(this.#parts.views, ref);
  }

  join(request: JoinRequest): Promise<Sandbox> {
    return this.#lock.run(request.containerId, async () => {
      const { containerId } = request;
      if (this.#joined.has(containerId)) throw conflict(`container ${containerId} already has its network`);
      const joined = await this.#joinAs(request);
      this.#joined.set(containerId, joined);
      return this.#sandboxOf(joined.record);
    });
  }

  async #joinAs(request: JoinRequest): Promise<Joined> {
    const { containerId, mode } = request;
    const base = { containerId, endpointId: randomId(), netns: '', address: 0, portKeys: [], published: [] };
    if (mode.startsWith('container:')) {
      const owner = this.#joined.get(mode.slice('container:'.length));
      if (owner === undefined) throw conflict(`cannot join network of a non running container: ${mode.slice(10)}`);
      return this.#save({ ...base, kind: 'container', netns: owner.record.netns });
    }
    const { driver } = this.get(mode === '' || mode === 'default' ? 'bridge' : mode);
    if (driver === 'bridge') return this.#joinBridge(request, base);
    if (driver === 'host') return this.#save({ ...base, kind: 'host' });
    return this.#joinNone(base, this.#poolFor(request));
  }

  #poolFor({ hostUserns }: JoinRequest): NetnsPool {
    const { pool, hostPool } = this.#parts;
    return hostUserns === true ? hostPool : pool;
  }

  async #joinNone(base: Omit<SandboxRecord, 'kind'>, pool: NetnsPool): Promise<Joined> {
    const { reaper } = this.#parts;
    await using undo = new AsyncDisposableStack();
    const netns = await pool.bare();
    undo.defer(() => reaper.remove([netns]));
    const joined = this.#save({ ...base, kind: 'none', netns });
    undo.move();
    return joined;
  }

  #save(record: SandboxRecord): Joined {
    this.#parts.records.save(record);
    return { record, publication: undefined };
  }

  async #joinBridge(request: JoinRequest, base: Omit<SandboxRecord, 'kind'>): Promise<Joined> {
    const { reaper, addresses, records, table } = this.#parts;
    const wanted = portRequests(request);
    this.#look(FIREWALL_FRESH_MS);
    await using undo = new AsyncDisposableStack();
    const slot = await this.#poolFor(request).take();
    undo.defer(async () => {
      await reaper.remove([slot.netns]);
      addresses.free(slot.address);
    });
    const publication = await this.#publish(request, base.endpointId, wanted, slot.address);
    undo.use(publication);
    const record: SandboxRecord = {
      ...base,
      kind: 'bridge',
      netns: slot.netns,
      address: slot.address,
      portKeys: portKeys(request),
      published: [...publication.ports],
    };
    records.save(record);
    undo.defer(() => records.remove(record.containerId));
    const rules = portRules(record);
    undo.defer(() => table.withdraw(rules));
    await table.publish(rules);
    undo.move();
    return { record, publication };
  }

  async #publish(request: JoinRequest, endpointId: string, wanted: ReturnType<typeof portRequests>, address: number) {
    try {
      return await this.#parts.ports.publish(wanted, formatIpv4(address));
    } catch (error) {
      const where = `endpoint ${request.name} (${endpointId})`;
      throw internal(`driver failed programming external connectivity on ${where}: ${messageOf(error)}`, error);
    }
  }

  leave(containerId: string): Promise<void> {
    return this.#lock.run(containerId, async () => {
      const joined = this.#joined.get(containerId);
      if (joined === undefined) return;
      const { record, publication } = joined;
      const { table, reaper, records, addresses } = this.#parts;
      const own = record.kind !== 'container' && record.netns !== '';
      const results = await Promise.allSettled([
        table.withdraw(portRules(record)),
        publication?.[Symbol.asyncDispose](),
        own ? reaper.remove([record.netns]) : undefined,
      ]);
      // What stays is found by the next start without a record; meanwhile the container may join again.
      records.remove(containerId);
      this.#joined.delete(containerId);
      const failed = results.find((result) => result.status === 'rejected');
      if (failed !== undefined) throw failed.reason;
      if (record.address !== 0) addresses.free(record.address);
    });
  }

  async recover(live: ReadonlySet<string>): Promise<void> {
    const { earlier, strays, reaper, log } = this.#parts;
    const recovered = ({ containerId }: SandboxRecord) =>
      (live.has(containerId) ? this.#resume(containerId) : this.leave(containerId)).catch((error: unknown) =>
        log.error('the network of a container could not be recovered', { container: containerId, error }),
      );
    const swept = reaper
      .remove(strays)
      .catch((error: unknown) => log.error('network namespaces stay until the next start', { strays, error }));
    await Promise.all([...earlier.map(recovered), swept]);
  }

  async #resume(containerId: string): Promise<void> {
    const joined = this.#joined.get(containerId);
    if (joined === undefined || joined.publication !== undefined || joined.record.published.length === 0) return;
    const { published, address } = joined.record;
    joined.publication = await this.#parts.ports.resume(published, formatIpv4(address), (port, error) =>
      this.#parts.log.warn('a published port is held by another program too', { containerId, ...port, error }),
    );
  }

  sandbox(containerId: string): Sandbox | undefined {
    const joined = this.#joined.get(containerId);
    return joined === undefined ? undefined : this.#sandboxOf(joined.record);
  }

  #sandboxOf(record: SandboxRecord): Sandbox {
    const ports = portMap(record.portKeys, record.published);
    const path = record.netns === '' ? undefined : netnsPath(record.netns);
    return { netnsPath: path, key: path ?? `${NETNS_DIR}/default`, endpoints: this.#endpoints(record), ports };
  }

  #endpoints({ kind, endpointId, address }: SandboxRecord): Record<string, Endpoint> {
    if (kind === 'container') return {};
    const { gateway } = this.#parts;
    const empty = { gateway: '', ipAddress: '', prefixLength: 0, macAddress: '' };
    const addressed = {
      gateway: formatIpv4(gateway.address),
      ipAddress: formatIpv4(address),
      prefixLength: gateway.prefix,
      macAddress: macOf(address),
    };
    const networkId = this.get(kind).id;
    return { [kind]: { networkId, endpointId, ...(kind === 'bridge' ? addressed : empty) } };
  }

  files(request: FilesRequest) {
    const { dns, gateway } = this.#parts;
    return containerFiles(request, { dns, hostGateway: formatIpv4(gateway.address) });
  }

  /** Looks at the firewall in the background; closing waits for it. */
  #look(maxAge: number): void {
    this.#looking = this.#parts.firewall.check(maxAge);
  }

  /** Our own table too, which somebody who loads the firewall afresh flushes. */
  #lookAtAll(): void {
    if (this.#joined.size === 0) return;
    this.#looking = Promise.all([this.#parts.firewall.check(), this.#parts.table.check()]).then(() => {});
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#timer);
    const { pool, hostPool, reaper, firewall, table, log } = this.#parts;
    await this.#looking;
    await Promise.all([...new Set([pool, hostPool])].map((it) => it[Symbol.asyncDispose]()));
    const publications = [...this.#joined.values()].flatMap(({ publication }) => publication ?? []);
    await Promise.all(publications.map((publication) => publication[Symbol.asyncDispose]()));
    await reaper.idle();
    await table.settled().catch((error: unknown) => log.warn('nftables', { error }));
    if (this.#joined.size === 0) await firewall.withdraw();
  }

  async destroy(): Promise<void> {
    const { tag, bridge, table, firewall, reaper } = this.#parts;
    await Promise.all([...this.#joined.keys()].map((containerId) => this.leave(containerId)));
    await this[Symbol.asyncDispose]();
    await reaper.remove(listNetns(tag));
    await firewall.withdraw();
    await table.remove();
    await removeBridge(bridge);
    await interfacesGone(tag);
  }
}

/** The kernel takes the interfaces of a removed namespace away on its own time, some milliseconds later. */
async function interfacesGone(tag: string): Promise<void> {
  for (let tries = 0; tries < 500 && listVeths(tag).length > 0; tries += 1) await sleep(10);
}
