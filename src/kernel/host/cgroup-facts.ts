/** How control groups are mounted on the host. */
export interface CgroupFacts {
  /** 2 only when no controller is on version 1. */
  readonly version: 1 | 2;
  /** Version 1 controllers with a version 2 tree without controllers beside them. */
  readonly hybrid: boolean;
  readonly driver: 'cgroupfs';
  /** Mount points of the version 1 hierarchies by controller (`memory`, `cpu`, `name=systemd`, …). */
  readonly mounts: Readonly<Record<string, string>>;
  /** Mount point of the version 2 tree; undefined when there is none. */
  readonly unified: string | undefined;
  /** Controllers that can be used, of either version. */
  readonly controllers: ReadonlySet<string>;
  /** Where the engine's containers go in every hierarchy, relative to its mount point, e.g. `/docker`. */
  readonly parent: string;
  /** Processors and memory nodes that a cpuset may name, e.g. `0-3`; empty when unknown. */
  readonly cpus: string;
  readonly mems: string;
}
