import { setTimeout as sleep } from 'node:timers/promises';
import type { Target } from './target.ts';

interface Event {
  Type: string;
  Action: string;
  Actor: { Attributes: Record<string, string> };
}

/** Begins to listen: the function it gives tells what has happened since, each event as one line with all its attributes. */
export async function eventsOf(target: Target): Promise<() => Promise<string[]>> {
  // No event that has been told of before may share the moment.
  await sleep(2);
  const since = (Date.now() / 1000).toFixed(3);
  return async () => {
    const reply = await target.api('GET', `/v1.41/events?since=${since}&until=${(Date.now() / 1000).toFixed(3)}`);
    const lines = reply.text.split('\n').filter((line) => line !== '');
    return lines.map((line) => lineOf(JSON.parse(line) as Event));
  };
}

function lineOf({ Type, Action, Actor }: Event): string {
  const attributes = Object.entries(Actor.Attributes)
    .filter(([name]) => name !== 'execDuration')
    .map(([name, value]) => `${name}=${value.replace(/[0-9a-f]{64}/, 'ID')}`)
    .toSorted((a, b) => (a < b ? -1 : 1));
  return [Type, Action, ...attributes].join(' ');
}
