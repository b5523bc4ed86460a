import { type ContainerState, type ContainerStatus, NEVER } from '../../engine/containers/model.ts';
import { humanDuration } from './human-duration.ts';

/** The `STATUS` column of `docker ps`. `now` in milliseconds since the epoch. */
export function statusText(state: ContainerState, now: number): string {
  const since = (time: string) => humanDuration(now - Date.parse(time));
  const texts: Record<ContainerStatus, () => string> = {
    created: () => 'Created',
    running: () => `Up ${since(state.startedAt)}${healthText(state)}`,
    paused: () => `Up ${since(state.startedAt)} (Paused)`,
    restarting: () => `Restarting (${state.exitCode}) ${since(state.finishedAt)} ago`,
    removing: () => 'Removal In Progress',
    exited: () => (state.finishedAt === NEVER ? '' : `Exited (${state.exitCode}) ${since(state.finishedAt)} ago`),
    dead: () => 'Dead',
  };
  return texts[state.status]();
}

function healthText({ health }: ContainerState): string {
  if (health === undefined) return '';
  return health.status === 'starting' ? ' (health: starting)' : ` (${health.status})`;
}
