import type { HostFacts } from '../../kernel/host/host-facts.ts';
import type { HostConfig } from '../../spec/container.ts';

/** Paths no container sees unless it is privileged or asks otherwise; the host's thermal counters come on top. */
export const DEFAULT_MASKED_PATHS: readonly string[] = [
  '/proc/asound',
  '/proc/acpi',
  '/proc/interrupts',
  '/proc/kcore',
  '/proc/keys',
  '/proc/latency_stats',
  '/proc/timer_list',
  '/proc/timer_stats',
  '/proc/sched_debug',
  '/proc/scsi',
  '/sys/firmware',
  '/sys/devices/virtual/powercap',
];

/** Paths that can be read only. */
export const DEFAULT_READONLY_PATHS: readonly string[] = [
  '/proc/bus',
  '/proc/fs',
  '/proc/irq',
  '/proc/sys',
  '/proc/sysrq-trigger',
];

type Wanted = Pick<HostConfig, 'MaskedPaths' | 'ReadonlyPaths' | 'Privileged'>;

/** Null in a request means Docker's own; an empty list means none. */
export function maskedPaths({ MaskedPaths, Privileged }: Wanted, host: Pick<HostFacts, 'thermalPaths'>): string[] {
  if (Privileged) return [];
  return [...(MaskedPaths ?? [...DEFAULT_MASKED_PATHS, ...host.thermalPaths])];
}

/** Null in a request means Docker's own; an empty list means none. */
export function readonlyPaths({ ReadonlyPaths, Privileged }: Wanted): string[] {
  return Privileged ? [] : [...(ReadonlyPaths ?? DEFAULT_READONLY_PATHS)];
}
