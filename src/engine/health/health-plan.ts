import * as v from 'valibot';
import { type ContainerConfig, type ExecBody, ExecBodySchema } from '../../spec/container.ts';

/** What Docker assumes where nothing is said, in milliseconds. */
const DEFAULTS = { interval: 30_000, timeout: 30_000, startInterval: 5_000, retries: 3 };
/** The longest wait a timer of this process can hold, some 24 days. */
const LONGEST_MS = 2 ** 31 - 1;

/** How a container's health is checked; spans in milliseconds. */
export interface HealthPlan {
  readonly request: ExecBody;
  readonly interval: number;
  readonly timeout: number;
  /** Since the start of the process; in it failures do not count while nothing has succeeded. */
  readonly startPeriod: number;
  /** Takes the place of the interval in the start period. */
  readonly startInterval: number;
  /** So many failures in a row make it unhealthy. */
  readonly retries: number;
}

/** Undefined when nothing is checked: there is no test, it is `NONE`, or of a kind that does not exist. */
export function healthPlan({ Healthcheck: check, Shell }: ContainerConfig): HealthPlan | undefined {
  const command = check === null ? undefined : probeCommand(check.Test ?? [], Shell);
  if (check === null || command === undefined) return undefined;
  return {
    request: v.parse(ExecBodySchema, { Cmd: command, AttachStdout: true, AttachStderr: true }),
    interval: span(check.Interval, DEFAULTS.interval),
    timeout: span(check.Timeout, DEFAULTS.timeout),
    startPeriod: span(check.StartPeriod, 0),
    startInterval: span(check.StartInterval, DEFAULTS.startInterval),
    retries: check.Retries > 0 ? check.Retries : DEFAULTS.retries,
  };
}

function probeCommand([kind, ...words]: readonly string[], shell: readonly string[] | null): string[] | undefined {
  if (words.length === 0) return undefined;
  if (kind === 'CMD') return words;
  if (kind !== 'CMD-SHELL') return undefined;
  return [...((shell ?? []).length > 0 ? (shell ?? []) : ['/bin/sh', '-c']), ...words];
}

function span(nanoseconds: number, otherwise: number): number {
  return nanoseconds === 0 ? otherwise : Math.min(nanoseconds / 1_000_000, LONGEST_MS);
}
