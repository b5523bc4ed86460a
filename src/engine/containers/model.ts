import type { ContainerConfig, EndpointConfig, HostConfig, PortBinding } from '../../spec/container.ts';

export type ContainerStatus = 'created' | 'running' | 'paused' | 'restarting' | 'removing' | 'exited' | 'dead';

/** The zero time, as Docker prints it for "never". */
export const NEVER = '0001-01-01T00:00:00Z';

/** What is known of a container's process. Times are RFC 3339 with nanoseconds in UTC. */
export interface ContainerState {
  status: ContainerStatus;
  /** Process id of the first process on the host; 0 when none runs. */
  pid: number;
  exitCode: number;
  /** Why the last start failed; empty when it did not. */
  error: string;
  oomKilled: boolean;
  startedAt: string;
  /** Of the last process that has ended, also while another one runs. */
  finishedAt: string;
  /** Address of the shim that holds the process; empty when none does. */
  shim: string;
  /** Somebody stopped it by hand: restart policies leave it alone. */
  stoppedByHand: boolean;
  /** Frozen by the engine while it makes an image of it, not by somebody. */
  pausedForCommit: boolean;
  /** The wait before the last restart by policy in milliseconds; 0 when there was none since somebody started it. */
  restartDelay: number;
  /** Undefined while nothing ever checked it. */
  health: Health | undefined;
}

/** What one health probe found. Times are RFC 3339. */
export interface ProbeResult {
  start: string;
  end: string;
  /** 0: healthy; -1: the probe did not come to an end of its own. */
  exitCode: number;
  output: string;
}

export type HealthStatus = 'starting' | 'healthy' | 'unhealthy';

export interface Health {
  status: HealthStatus;
  failingStreak: number;
  /** The last few, oldest first. */
  log: readonly ProbeResult[];
  /** It is being restarted because it was found unhealthy. */
  healing: boolean;
}

/** The state of a container that never ran. */
export function initialState(): ContainerState {
  return {
    status: 'created',
    pid: 0,
    exitCode: 0,
    error: '',
    oomKilled: false,
    startedAt: NEVER,
    finishedAt: NEVER,
    shim: '',
    stoppedByHand: false,
    pausedForCommit: false,
    restartDelay: 0,
    health: undefined,
  };
}

/** How something is mounted, beyond what `inspect` shows. */
export interface MountManner {
  /** A bind without what is mounted below its source. */
  readonly nonRecursive?: true;
  /** Whether read-only covers what is mounted below the source: missing, where the host can. */
  readonly readOnlyBelow?: 'never' | 'required';
  /** The source of a bind that is gone when the container starts is an error; else it is made anew. */
  readonly sourceMustExist?: true;
  /** Its source lies above or below the engine's own directories, and nobody said how mounts are to travel. */
  readonly nearEngine?: true;
  /** Of a tmpfs, for mount(8). */
  readonly options?: readonly string[];
  readonly image?: MountedImage;
  /** Of a volume, only what is at this path of it: clean, and found anew whenever it is mounted. */
  readonly subpath?: string;
}

/** What a mount of type `image` shows: a file of it, or the directories, top first, that together are one of its own. */
export interface MountedImage {
  readonly id: string;
  readonly kind: 'directory' | 'file';
  readonly paths: readonly string[];
}

/** A mount as `inspect` shows it. */
export interface ContainerMount {
  type: 'bind' | 'volume' | 'tmpfs' | 'image';
  /** Volume name, or the image as it was asked for; empty for other types. */
  name: string;
  /** On the host; empty for a tmpfs and for an image. */
  source: string;
  destination: string;
  driver: string;
  mode: string;
  rw: boolean;
  propagation: string;
  /** A volume made for this container or for one it takes its volumes from, without a name given. */
  anonymous?: boolean;
  /** Missing for a volume that is mounted as a whole. */
  readonly manner?: MountManner;
}

/** A container's place in one network. Empty strings and 0 while it does not run. */
export interface Endpoint {
  networkId: string;
  endpointId: string;
  gateway: string;
  ipAddress: string;
  prefixLength: number;
  macAddress: string;
}

/** Everything the engine knows of one container; served from memory. */
export interface Container {
  readonly id: string;
  /** Without the leading slash. */
  name: string;
  readonly created: string;
  /** Image id, `sha256:…`. */
  readonly imageId: string;
  /** Merged with the image's config; `Image` is the reference as the user gave it. */
  readonly config: ContainerConfig;
  readonly hostConfig: HostConfig;
  /** Keyed by network name, as asked for at create. */
  readonly networks: Record<string, EndpointConfig>;
  /** The process and its arguments: entrypoint followed by command. */
  readonly path: string;
  readonly args: readonly string[];
  readonly mounts: readonly ContainerMount[];
  state: ContainerState;
  /** How often its policy has restarted it since somebody started it. */
  restartCount: number;
  /** Keyed by network name; filled while it runs. */
  endpoints: Record<string, Endpoint>;
  /** Where its ports are reachable on the host while it runs, keyed `80/tcp`; an exposed port that is not published has an empty list. */
  ports: Record<string, readonly PortBinding[]>;
  /** Path of the network namespace while it runs with one of its own. */
  sandboxKey: string;
  /** Ids of the execs that run in it now. */
  execIds: readonly string[];
  /**
   * Files bind-mounted into it, and its log; paths on the host, empty when there is none. In another's network they are that
   * container's.
   */
  files: { hostname: string; hosts: string; resolvConf: string; log: string };
  /** Overlay directories on the host; `merged` is mounted while it runs. */
  readonly graph: { lower: readonly string[]; upper: string; work: string; merged: string };
}
