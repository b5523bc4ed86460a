import type { Target } from './target.ts';

/** The actions an engine remembers of one container, oldest first: also of this very millisecond, which the time in the query cuts off. */
export async function actionsOf(target: Target, id: string): Promise<string[]> {
  const filters = encodeURIComponent(JSON.stringify({ container: [id] }));
  const { text } = await target.api('GET', `/events?since=0&until=${(Date.now() + 50) / 1000}&filters=${filters}`);
  const lines = text.split('\n').filter((line) => line !== '');
  return lines.map((line) => (JSON.parse(line) as { Action: string }).Action);
}
