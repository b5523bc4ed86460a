import type { Container } from '../containers/model.ts';
import type { Parts } from '../containers/parts.ts';
import { isSpent } from '../containers/restart-policy.ts';
import { saveState } from '../containers/save-state.ts';
import { endProcess } from '../containers/stop.ts';
import type { Tracked } from '../containers/tracked.ts';

/** Docker leaves an unhealthy container alone. Who sets this label to `true` wants it restarted. */
const LABEL = 'autoheal';

export function wantsHealing({ config, hostConfig, restartCount }: Container): boolean {
  return config.Labels[LABEL] === 'true' && !isSpent(hostConfig.RestartPolicy, restartCount);
}

/**
 * Ends an unhealthy container's process as `stop` would. That it is to be started again is written down first: whoever settles
 * the end, this daemon or the next, then does so, with the back-off of restart policies.
 */
export async function heal(parts: Parts, tracked: Tracked): Promise<void> {
  const { container } = tracked;
  if (container.state.health === undefined) return;
  note(parts, tracked, true);
  parts.log.info('restarting an unhealthy container', { container: container.id });
  try {
    await endProcess(parts, tracked, {});
  } catch (error) {
    // It goes on being checked, and the next failure tries again.
    parts.log.warn('an unhealthy container could not be ended', { container: container.id, error });
    note(parts, tracked, false);
  }
}

function note(parts: Parts, { container }: Tracked, healing: boolean): void {
  if (container.state.health === undefined) return;
  container.state.health = { ...container.state.health, healing };
  saveState(parts, container);
}
