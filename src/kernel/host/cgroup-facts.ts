import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** How control groups are mounted on the host. */
export interface CgroupFacts {
  /** 2 only when no controller is on version 1. */
  readonly version: 1 | 2;
  /** Version 1 controllers with a version 2 tree beside them. */
  readonly hybrid: boolean;
  readonly driver: 'cgroupfs';
  /** Mount points of the version 1 hierarchies by controller (`memory`, `cpu`, `name=systemd`, …). */
  readonly mounts: Readonly<Record<string, string>>;
  /** Mount point of the version 2 tree; undefined when there is none. */
  readonly unified: string | undefined;
  /** Controllers that can be used, of either version. */
  readonly controllers: ReadonlySet<string>;
  /** Where containers go in every hierarchy unless they ask otherwise, relative to its mount point. */
  readonly parent: string;
  /** Processors and memory nodes that a cpuset may name, e.g. `0-3`; empty when unknown. */
  readonly cpus: string;
  readonly mems: string;
}

/** The name Docker uses: what watches containers (cAdvisor and its like) finds them by it. */
const PARENT = '/docker';
/** Options of a version 1 cgroup mount that name no controller. */
const FLAGS = new Set(['rw', 'ro', 'relatime', 'xattr', 'clone_children', 'noprefix', 'seclabel', 'cpuset_v2_mode']);

/** Reads a file of the host; undefined when it is not there. */
type Read = (path: string) => string | undefined;

/** Finds the control groups of the host. Source: proc(5) mountinfo, kernel doc cgroup-v2. */
export function probeCgroups(read: Read = readHostFile): CgroupFacts {
  const { mounts, unified } = cgroupMounts(read('/proc/self/mountinfo') ?? '');
  const unifiedControllers = unified === undefined ? [] : words(read(join(unified, 'cgroup.controllers')));
  const onVersion1 = Object.keys(mounts).filter((name) => !name.startsWith('name='));
  const version = onVersion1.length === 0 && unified !== undefined ? 2 : 1;
  const cpuset = mounts['cpuset'];
  const sets = version === 2 ? unified : cpuset;
  const effective = (what: string): string =>
    sets === undefined
      ? ''
      : (read(join(sets, version === 2 ? `cpuset.${what}.effective` : `cpuset.${what}`)) ?? '').trim();
  return {
    version,
    hybrid: version === 1 && unified !== undefined,
    driver: 'cgroupfs',
    mounts,
    unified,
    controllers: new Set([...onVersion1, ...unifiedControllers]),
    parent: PARENT,
    cpus: effective('cpus'),
    mems: effective('mems'),
  };
}

function words(text: string | undefined): string[] {
  return (text ?? '').split(/\s+/).filter((word) => word !== '');
}

/** The first mount of each hierarchy wins: later ones are copies inside other roots. */
function cgroupMounts(mountinfo: string): { mounts: Record<string, string>; unified: string | undefined } {
  const mounts: Record<string, string> = {};
  let unified: string | undefined;
  for (const line of mountinfo.split('\n')) {
    const [before = '', after = ''] = line.split(' - ', 2);
    const point = before.split(' ')[4] ?? '';
    const [type, , options = ''] = after.split(' ');
    if (type === 'cgroup2') unified ??= point;
    if (type !== 'cgroup') continue;
    for (const name of options.split(',')) {
      if (!FLAGS.has(name) && !name.startsWith('release_agent=')) mounts[name] ??= point;
    }
  }
  return { mounts, unified };
}

/** Reads a small file of procfs, sysfs or /etc; undefined when it is not there. */
export function readHostFile(path: string): string | undefined {
  return existsSync(path) ? readFileSync(path, 'utf8') : undefined;
}
