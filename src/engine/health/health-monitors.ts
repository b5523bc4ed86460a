import { setTimeout as sleep } from 'node:timers/promises';
import { emitContainer } from '../containers/container-events.ts';
import type { Container, ProbeResult } from '../containers/model.ts';
import type { Parts } from '../containers/parts.ts';
import { saveState } from '../containers/save-state.ts';
import type { Tracked } from '../containers/tracked.ts';
import { heal, wantsHealing } from './heal.ts';
import { type HealthPlan, healthPlan } from './health-plan.ts';
import { afterProbe, startingHealth, uncheckedHealth } from './health-record.ts';
import { runProbe } from './probe.ts';

/** The monitors of running containers, one each. Disposing of it ends them and leaves what they know in the containers' rows. */
export interface HealthMonitors extends Disposable {
  /** Begins for a process that was just started. */
  begin(tracked: Tracked): void;
  /** Goes on with one that was thawed, or that ran already when the daemon started. */
  resume(tracked: Tracked): void;
  /** The process has ended or is to be frozen; whoever calls writes the state down. */
  stop(container: Container): void;
}

export function openHealthMonitors(parts: () => Parts): HealthMonitors {
  const monitors = new Map<string, AbortController>();
  const end = (id: string): void => {
    monitors.get(id)?.abort();
    monitors.delete(id);
  };
  const resume = (tracked: Tracked): void => {
    const { container } = tracked;
    const plan = healthPlan(container.config);
    end(container.id);
    if (plan === undefined) return;
    container.state.health ??= startingHealth(undefined);
    const monitor = new AbortController();
    monitors.set(container.id, monitor);
    watch(parts(), tracked, plan, monitor.signal).catch((error: unknown) => {
      if (!monitor.signal.aborted) parts().log.error('a health check stopped', { container: container.id, error });
    });
  };
  return {
    begin: (tracked) => {
      const { state, config } = tracked.container;
      state.health = healthPlan(config) === undefined ? undefined : startingHealth(state.health);
      resume(tracked);
    },
    resume,
    stop: ({ id, state }) => {
      end(id);
      // Also of a process that ended while no daemon, and so no monitor, was there.
      state.health = uncheckedHealth(state.health);
    },
    [Symbol.dispose]: () => {
      for (const id of monitors.keys()) {
        end(id);
        const tracked = parts().registry.byId(id);
        if (tracked !== undefined) saveState(parts(), tracked.container);
      }
    },
  };
}

/** Probes one after the other; the next interval begins when a probe is over. */
async function watch(parts: Parts, tracked: Tracked, plan: HealthPlan, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    const interval = isStarting(tracked, plan) ? plan.startInterval : plan.interval;
    await sleep(interval, undefined, { signal });
    const inStartPeriod = isInStartPeriod(tracked, plan);
    const result = await runProbe(parts, tracked, plan, signal);
    if (!signal.aborted) await record(parts, tracked, plan, { result, inStartPeriod });
  }
}

function isInStartPeriod({ live }: Tracked, { startPeriod }: HealthPlan): boolean {
  return live !== undefined && performance.now() - live.startedTick < startPeriod;
}

const isStarting = (tracked: Tracked, plan: HealthPlan): boolean =>
  tracked.container.state.health?.status === 'starting' && isInStartPeriod(tracked, plan);

/** Only a change is told and written down: a probe each second must not be a write to the disk each second. */
async function record(
  parts: Parts,
  tracked: Tracked,
  { retries }: HealthPlan,
  { result, inStartPeriod }: { result: ProbeResult; inStartPeriod: boolean },
): Promise<void> {
  const { container } = tracked;
  const before = container.state.health ?? startingHealth(undefined);
  const health = afterProbe(before, result, { retries, inStartPeriod });
  container.state.health = health;
  if (health.status !== before.status) {
    saveState(parts, container);
    emitContainer(parts.events, container, `health_status: ${health.status}`);
  }
  if (health.status === 'unhealthy' && wantsHealing(container)) await heal(parts, tracked);
}
