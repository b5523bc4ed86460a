import type { GroupMoves } from '../../kernel/cgroups/group-moves.ts';
import type { HostFacts } from '../../kernel/host/host-facts.ts';
import type { RuntimeFeatures } from '../../kernel/host/runtime-features.ts';
import type { RuntimeBinary, ShimPool } from '../../kernel/shim/shim-pool.ts';
import type { IoPool } from '../../kernel/stdio/io-pool.ts';
import type { UserNamespace } from '../../kernel/userns/user-namespace.ts';
import type { Platform } from '../../spec/image.ts';
import type { ContainerRows } from '../../store/containers.ts';
import type { KeyedLock } from '../../util/keyed-lock.ts';
import type { Log } from '../../util/log.ts';
import type { Events, Image, Images } from '../engine.ts';
import type { HealthMonitors } from '../health/health-monitors.ts';
import type { CommitRequest } from '../images/commit.ts';
import type { LastMessages } from '../logs/last-messages.ts';
import type { NetworkStack } from '../networks/networks.ts';
import type { SpecDefaults } from '../runtime-spec/spec-defaults.ts';
import type { VolumeStock } from '../volumes/volumes.ts';
import type { Registry } from './registry.ts';
import type { RestartTimers } from './restart-timers.ts';

/** What containers need of images. */
export interface ContainerImages {
  /** Finds an image, assembling a built-in one that was not used before. @throws `not-found`. */
  resolve(ref: string, platform?: Platform): Promise<Image>;
  readonly get: Images['get'];
  readonly list: Images['list'];
  /** Directories of its layers, top first, by names short enough for a mount option. */
  lowerDirs(image: Image): string[];
  /** Keeps an image from being removed until disposed of. */
  pin(imageId: string): Disposable;
  /** The image of a container that exists, even when it was removed by force meanwhile. */
  ofContainer(imageId: string): Image;
  /** Makes an image of another one, `imageId`, and of a layer. */
  commit(request: Omit<CommitRequest, 'parent' | 'version'> & { imageId: string }): Promise<string>;
  /** To be called when a container is gone: an image removed by force may have waited for that. */
  releaseUnused(): Promise<void>;
}

/** What the daemon's configuration says where a container says nothing. */
export interface ContainerDefaults {
  readonly runtime: string;
  readonly logConfig: { Type: string; Config: Record<string, string> };
  readonly dns: readonly string[];
  readonly spec: SpecDefaults;
  /** Bytes of /dev/shm. This and the next change when the configuration is read again. */
  shmSize: number;
  ipcMode: 'private' | 'shareable';
  /** Undefined: as the version of the host's cgroups has it. */
  readonly cgroupnsMode: 'private' | 'host' | undefined;
  /** Seconds. */
  readonly stopTimeout: number;
}

/** Everything the verbs of a container work with; built once, in `main`. */
export interface Parts {
  readonly registry: Registry;
  readonly rows: ContainerRows;
  readonly images: ContainerImages;
  readonly networks: NetworkStack;
  readonly volumes: VolumeStock;
  readonly shims: ShimPool;
  readonly io: IoPool;
  /** What a runtime does that puts a process into a control group is done within. */
  readonly moves: GroupMoves;
  readonly events: Events;
  readonly restarts: RestartTimers;
  readonly health: HealthMonitors;
  /** Held while a container changes state, keyed by its id. */
  readonly locks: KeyedLock;
  readonly host: HostFacts;
  /** The user namespace that containers are in unless they ask for the host's; undefined: all are in that. */
  readonly userns: UserNamespace | undefined;
  readonly runtimes: ReadonlyMap<string, RuntimeBinary>;
  /** What they can do. */
  readonly features: RuntimeFeatures;
  /**
   * Ends and takes apart what a container left behind that no shim holds: processes, cgroups, the runtime's state. To be
   * called while its bundle is there.
   */
  reap(containerId: string): Promise<void>;
  /** Fires when the daemon goes down: from then on the ends of processes are left to the next one. */
  readonly leaving: AbortSignal;
  readonly defaults: ContainerDefaults;
  /** Where devices are described that containers request by name; later ones win. */
  readonly cdiSpecDirs: readonly string[];
  /** Where the engine listens. */
  readonly sockets: readonly string[];
  readonly paths: {
    /** Below the data root: one directory a container. */
    readonly containers: string;
    /** The layer below those of every image. */
    readonly init: string;
    /** A directory that may be mounted over in a mount namespace of its own. */
    readonly scratch: string;
    /** Below the exec root: one OCI bundle a running container. */
    readonly bundles: string;
    /** Below the exec root: one record a running exec. */
    readonly execs: string;
  };
  /** What still leaves for the receivers of logs when its container has ended. */
  readonly lastMessages: LastMessages;
  readonly log: Log;
}
