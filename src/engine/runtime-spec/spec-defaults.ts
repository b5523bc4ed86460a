import type { Ulimit } from '../../spec/container.ts';

/** What the daemon's configuration says of the containers that do not say it themselves. */
export interface SpecDefaults {
  /** As after `--security-opt seccomp=`: `builtin`, `unconfined`, or the JSON of a profile. */
  readonly seccomp: string;
  readonly noNewPrivileges: boolean;
  /** An init of the engine's is the first process. */
  readonly init: boolean;
  /** Limits of processes; a container's own of the same name goes before. */
  readonly ulimits: readonly Ulimit[];
}

/** Of a daemon that is not configured. */
export const PLAIN_DEFAULTS: SpecDefaults = { seccomp: 'builtin', noNewPrivileges: false, init: false, ulimits: [] };
