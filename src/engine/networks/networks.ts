import type { PortBinding } from '../../spec/container.ts';
import type { Db } from '../../store/db.ts';
import { unavailable } from '../../util/errors.ts';
import type { Log } from '../../util/log.ts';
import type { Endpoint } from '../containers/model.ts';
import type { Networks } from '../engine.ts';

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
}

export interface FilesRequest {
  containerId: string;
  hostname: string;
  domainname: string;
  /** `name:address` or `name=address`; the address may be `host-gateway`. */
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
  /** Takes it back: address free, ports closed, namespace gone. Idempotent. */
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
  /** How many namespaces to keep ready. */
  poolSize: number;
  log: Log;
  db: Db;
}

export function openNetworkStack(_options: NetworkOptions): Promise<NetworkStack> {
  return Promise.reject(unavailable('networks are being built'));
}
