import { type ContainerState, NEVER } from '../../engine/containers/model.ts';
import { humanDuration } from './human-duration.ts';

/** The `STATUS` column of `docker ps`. `now` in milliseconds since the epoch. */
export function statusText(state: ContainerState, now: number): string {
  const since = (time: string) => humanDuration(now - Date.parse(time));
  switch (state.status) {
    case 'paused':
      return `Up ${since(state.startedAt)} (Paused)`;
    case 'restarting':
      return `Restarting (${state.exitCode}) ${since(state.finishedAt)} ago`;
    case 'running':
      return `Up ${since(state.startedAt)}`;
    case 'removing':
      return 'Removal In Progress';
    case 'dead':
      return 'Dead';
    case 'created':
      return 'Created';
    case 'exited':
      return state.finishedAt === NEVER ? '' : `Exited (${state.exitCode}) ${since(state.finishedAt)} ago`;
  }
}
