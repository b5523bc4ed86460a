import { createHash } from 'node:crypto';
import { AddressPool } from '../../kernel/net/addresses.ts';
import { ensureBridge, removeBridge } from '../../kernel/net/bridge.ts';
import { ForwardPolicy } from '../../kernel/net/forward-policy.ts';
import { hostLock } from '../../kernel/net/host-lock.ts';
import { HostPorts } from '../../kernel/net/host-ports.ts';
import { parseCidr } from '../../kernel/net/ipv4.ts';
import { listNetns, serials } from '../../kernel/net/netns-names.ts';
import { NetnsPool } from '../../kernel/net/netns-pool.ts';
import { NetnsReaper } from '../../kernel/net/netns-reaper.ts';
import { NftTable, removeTable } from '../../kernel/net/nft-table.ts';
import type { PortBinding } from '../../spec/container.ts';
import type { Db } from '../../store/db.ts';
import { internal, invalid } from '../../util/errors.ts';
import type { Log } from '../../util/log.ts';
import type { Endpoint } from '../containers/model.ts';
import type { Networks } from '../engine.ts';
import { networkViews, type PredefinedOptions, predefinedNetworks } from './predefined.ts';
import { openSandboxRecords } from './sandbox-records.ts';
import { portRules, Stack } from './stack.ts';

/** A container's place on the network while it runs. */
export interface Sandbox {
  /** Path of the namespace to enter; undefined: the host's own. */
  netnsPath: string | undefined;
  /** What `inspect` shows as `SandboxKey`. */
  key: string;
  /** Keyed by network name. */
  endpoints: Record<string, Endpoint>;
  /** Keyed `80/tcp`. An exposed port that is not published has an empty list. */
  ports: Record<string, PortBinding[]>;
}

export interface JoinRequest {
  containerId: string;
  /** The container's name without slash; for error texts only. */
  name: string;
  /** `HostConfig.NetworkMode`: empty, `default`, `bridge`, `none`, `host`, `container:<full id>`, or a network's name or id. */
  mode: string;
  /** Keyed `80/tcp`, as in `HostConfig.PortBindings`. */
  portBindings: Readonly<Record<string, readonly PortBinding[]>>;
  publishAll: boolean;
  /** Keys of `Config.ExposedPorts`: `80/tcp`, or a range, `8000-8010/udp`. */
  exposed: readonly string[];
  /** It is in the host's user namespace, though the engine remaps its containers. */
  hostUserns?: boolean;
}

export interface FilesRequest {
  containerId: string;
  hostname: string;
  domainname: string;
  /** `name:address`; the address may be `host-gateway`. */
  extraHosts: readonly string[];
  dns: readonly string[];
  dnsSearch: readonly string[];
  dnsOptions: readonly string[];
  sandbox: Sandbox;
}

/** The networks of one engine and the containers in them. */
export interface NetworkStack extends Networks, AsyncDisposable {
  /**
   * Gives the container its network: a ready namespace for the bridge, a bare one for none, the host's for host,
   * another container's for `container:<id>`. On a throw nothing is left behind.
   *
   * @throws `not-found` `network x not found`; `internal` with Docker's text when a host port is taken.
   */
  join(request: JoinRequest): Promise<Sandbox>;
  /**
   * Takes it back: address free, ports closed, namespace gone. Idempotent.
   *
   * @throws what could not be taken back; it stays until the next `recover`, and the container may join again.
   */
  leave(containerId: string): Promise<void>;
  /** Call once after opening: keeps what the `live` containers use and removes every other trace of earlier daemons. */
  recover(live: ReadonlySet<string>): Promise<void>;
  /** The sandbox of a container that has joined, also after `recover`. */
  sandbox(containerId: string): Sandbox | undefined;
  /** Contents for the container's /etc/hosts, /etc/resolv.conf and /etc/hostname. */
  files(request: FilesRequest): Promise<{ hosts: string; resolvConf: string; hostname: string }>;
  /** Disposes, then removes bridge, rules and every namespace: for an engine that goes away with no containers. */
  destroy(): Promise<void>;
  // Disposing (`await using`, or `[Symbol.asyncDispose]()`) drops idle namespaces and listeners;
  // the network of running containers goes on working.
}

export interface NetworkOptions {
  execRoot: string;
  dataRoot: string;
  engineId: string;
  /** Address of the bridge with its prefix length, `10.1.0.1/16`. */
  bip?: string | undefined;
  /** Name of the bridge device; default `gantry0` for the default data root, else derived from the engine's id. */
  bridge?: string | undefined;
  /** Resolvers for containers that name none. */
  dns: readonly string[];
  /** The user namespace of remapped containers, as a file; undefined: they are in the host's. */
  userns?: string | undefined;
  /** How many namespaces to keep ready. */
  poolSize: number;
  log: Log;
  db: Db;
}

/** The data root whose engine has the plain bridge name. */
const DEFAULT_DATA_ROOT = '/var/lib/gantry';

/**
 * Brings up bridge, rules and a pool of namespaces. What an earlier daemon left keeps working until `recover`.
 *
 * @throws `invalid` for a wrong `bip` or bridge name; `unavailable` when a host tool is missing.
 */
export async function openNetworkStack(options: NetworkOptions): Promise<NetworkStack> {
  const { log, db, bip, poolSize } = options;
  const tag = createHash('sha256').update(options.engineId).digest('hex').slice(0, 6);
  const bridge = options.bridge ?? (options.dataRoot === DEFAULT_DATA_ROOT ? 'gantry0' : `gtry${tag}`);
  if (!/^[\w.-]{1,15}$/.test(bridge)) throw invalid(`invalid bridge name: "${bridge}"`);
  const { fact, gateway } = await bringUp({ db, bridge, bip, log });
  const records = openSandboxRecords(options.execRoot, log);
  const earlier = records.load();
  await using undo = new AsyncDisposableStack();
  if (earlier.length === 0) undo.defer(() => takeDown(tag, bridge));
  const addresses = new AddressPool(gateway, gateway.address);
  for (const { address } of earlier) if (address !== 0) addresses.reserve(address);
  const named = new Set(earlier.map(({ netns }) => netns));
  const strays = listNetns(tag).filter((name) => !named.has(name));
  const table = new NftTable({ tag, bridge, gateway, rules: earlier.flatMap(portRules), log });
  const firewall = new ForwardPolicy(bridge, log);
  await Promise.all([table.settled(), firewall.check()]);
  const reaper = new NetnsReaper(tag);
  const ground = { tag, bridge, gateway, addresses, reaper, serial: serials(tag), log };
  const pool = new NetnsPool({ ...ground, userns: options.userns, size: poolSize });
  // Those for the few containers that are not remapped are made when they are asked for.
  const hostPool = options.userns === undefined ? pool : new NetnsPool({ ...ground, size: 0 });
  const views = networkViews(fact, bridge, gateway);
  const parts = {
    tag,
    bridge,
    gateway,
    views,
    earlier,
    strays,
    records,
    addresses,
    reaper,
    pool,
    hostPool,
    table,
    firewall,
  };
  undo.move();
  return new Stack({ ...parts, ports: new HostPorts(), dns: options.dns, log });
}

/** Takes back what was made when the rest could not be; with a tool missing, as far as that goes. */
async function takeDown(tag: string, bridge: string): Promise<void> {
  await Promise.allSettled([removeTable(tag), removeBridge(bridge)]);
}

/** Chooses the subnet and takes it, with all other engines of the host waiting. */
async function bringUp(options: PredefinedOptions) {
  await using stack = new AsyncDisposableStack();
  stack.use(await hostLock('subnets'));
  const fact = await predefinedNetworks(options);
  const gateway = parseCidr(fact.gateway);
  if (gateway === undefined) throw internal(`not an address with a prefix length: ${fact.gateway}`);
  await ensureBridge(options.bridge, gateway);
  return { fact, gateway };
}
