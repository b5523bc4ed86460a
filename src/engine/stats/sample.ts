import { type CgroupUsage, readUsage } from '../../kernel/cgroups/usage.ts';
import { cpuTime } from '../../kernel/host/cpu-time.ts';
import { type InterfaceCounters, interfaceCounters } from '../../kernel/net/interface-counters.ts';
import { nowRfc3339Nano } from '../../util/time.ts';
import type { Parts } from '../containers/parts.ts';
import type { Tracked } from '../containers/tracked.ts';
import { isRunning } from '../containers/wait.ts';
import { cgroupsPath } from '../runtime-spec/runtime-spec.ts';

/** What a container uses at one moment. */
export interface StatsSample {
  /** RFC 3339 with nanoseconds. */
  readonly read: string;
  /** When the process began: figures of two processes cannot be compared. */
  readonly startedAt: string;
  readonly usage: CgroupUsage;
  /** The time of all processors of the host, in nanoseconds, and how many there are. */
  readonly host: { readonly cpuTime: number; readonly cpus: number; readonly memory: number };
  /** By the name of the interface; empty in the host's network or without one. */
  readonly interfaces: Readonly<Record<string, InterfaceCounters>>;
}

/** Looks at a container; undefined when it does not run. */
export function sampleOf({ host }: Pick<Parts, 'host'>, tracked: Tracked): StatsSample | undefined {
  if (!isRunning(tracked)) return undefined;
  const { container } = tracked;
  const { pid, startedAt } = container.state;
  const usage = readUsage(host.cgroup, cgroupsPath(container, host));
  if (usage === undefined) return undefined;
  const { total, online } = cpuTime();
  return {
    read: nowRfc3339Nano(),
    startedAt,
    usage,
    host: { cpuTime: total, cpus: online, memory: host.memory },
    interfaces: container.hostConfig.NetworkMode === 'host' ? {} : interfaceCounters(pid),
  };
}
