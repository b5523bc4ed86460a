import { invalid, kindOf } from '../../util/errors.ts';
import { parseRfc3339Nano, parseTime } from '../../util/time.ts';
import type { Filters } from '../engine.ts';
import { checkFilters, matchPruneLabels, valuesOf } from '../filters.ts';
import type { Parts } from './parts.ts';
import { removeContainer } from './remove.ts';
import { bytesBelow } from './size.ts';
import { isRunning } from './wait.ts';

/**
 * Removes every container that does not run and matches the filters `until`, `label` and `label!`. One that somebody
 * starts or removes meanwhile is left alone.
 */
export async function pruneContainers(
  parts: Parts,
  filters: Filters,
): Promise<{ deleted: string[]; reclaimed: number }> {
  checkFilters(filters, ['until', 'label', 'label!']);
  if (valuesOf(filters, 'until').length > 1) throw invalid('more than one until filter specified');
  const until = valuesOf(filters, 'until').map((text) => parseTime(text));
  const deleted: string[] = [];
  let reclaimed = 0;
  for (const tracked of parts.registry.all()) {
    const { container } = tracked;
    const young = until.some((bound) => parseRfc3339Nano(container.created) >= bound);
    if (isRunning(tracked) || young || !matchPruneLabels(filters, container.config.Labels)) continue;
    const bytes = await bytesBelow(container.graph.upper);
    try {
      await removeContainer(parts, tracked, { force: false, volumes: false });
    } catch (error) {
      if (kindOf(error) === 'conflict') continue;
      throw error;
    }
    deleted.push(container.id);
    reclaimed += bytes;
  }
  parts.events.emit({
    type: 'container',
    action: 'prune',
    actor: { id: '', attributes: { reclaimed: String(reclaimed) } },
  });
  return { deleted, reclaimed };
}
