import type { HostFacts } from '../../kernel/host/host-facts.ts';
import type { RuntimeBinary, ShimPool } from '../../kernel/shim/shim-pool.ts';
import type { IoPool } from '../../kernel/stdio/io-pool.ts';
import type { ContainerRows } from '../../store/containers.ts';
import type { KeyedLock } from '../../util/keyed-lock.ts';
import type { Log } from '../../util/log.ts';
import type { Events, Image } from '../engine.ts';
import type { NetworkStack } from '../networks/networks.ts';
import type { Registry } from './registry.ts';

/** What containers need of images. */
export interface ContainerImages {
  /** Finds an image, assembling a built-in one that was not used before. @throws `not-found`. */
  resolve(ref: string): Promise<Image>;
  get(ref: string): Image;
  /** Directories of its layers, top first, by names short enough for a mount option. */
  lowerDirs(image: Image): string[];
  /** Keeps an image from being removed until disposed of. */
  pin(imageId: string): Disposable;
}

/** What the daemon's configuration says where a container says nothing. */
export interface ContainerDefaults {
  readonly runtime: string;
  readonly logConfig: { Type: string; Config: Record<string, string> };
  readonly dns: readonly string[];
}

/** Everything the verbs of a container work with; built once, in `main`. */
export interface Parts {
  readonly registry: Registry;
  readonly rows: ContainerRows;
  readonly images: ContainerImages;
  readonly networks: NetworkStack;
  readonly shims: ShimPool;
  readonly io: IoPool;
  readonly events: Events;
  /** Held while a container changes state, keyed by its id. */
  readonly locks: KeyedLock;
  readonly host: HostFacts;
  readonly runtimes: ReadonlyMap<string, RuntimeBinary>;
  readonly defaults: ContainerDefaults;
  readonly paths: {
    /** Below the data root: one directory a container. */
    readonly containers: string;
    /** Below the exec root: one OCI bundle a running container. */
    readonly bundles: string;
  };
  readonly log: Log;
}
