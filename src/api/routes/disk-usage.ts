import { parseFilters } from '../../engine/filters.ts';
import { invalid } from '../../util/errors.ts';
import type { Exchange, Handler } from '../exchange.ts';
import { type Route, route } from '../router.ts';
import { diskUsage } from '../shapes/disk-usage.ts';
import { volumeShape } from '../shapes/volume.ts';
import { allContainers, listed, withSizes } from './containers.ts';

const CACHE_FILTERS = ['until', 'id', 'parent', 'type', 'description', 'inuse', 'shared', 'private'];
const KINDS = ['container', 'image', 'volume', 'build-cache'];

/** Before 1.42 nobody could choose. @throws `invalid` for a kind that does not exist. */
function wantedKinds({ api, query }: Exchange): ReadonlySet<string> {
  if (api < 42 || !query.has('type')) return new Set(KINDS);
  const kinds = query.all('type');
  const unknown = kinds.find((kind) => !KINDS.includes(kind));
  if (unknown !== undefined) throw invalid(`unknown object type: ${unknown}`);
  return new Set(kinds);
}

/** As in Docker: only what takes room of the engine's own. */
async function volumesWithUsage({ engine: { volumes } }: Exchange) {
  const { volumes: all } = await volumes.list(new Map());
  const own = all.filter(({ driver, options }) => driver === 'local' && Object.keys(options ?? {}).length === 0);
  return Promise.all(own.map(async (it) => volumeShape(it, await volumes.usage(it.name))));
}

const usage: Handler = async (x, reply) => {
  const kinds = wantedKinds(x);
  const { containers, images } = x.engine;
  const filters = new Map<string, string[]>();
  const all = allContainers(x);
  const users = Map.groupBy(all, ({ imageId }) => imageId);
  const found = {
    ...(kinds.has('image') ? { images: { list: images.list({ all: true, filters }), usage: images.usage() } } : {}),
    ...(kinds.has('container') ? { containers: await withSizes(containers, listed(x, all)) } : {}),
    ...(kinds.has('volume') ? { volumes: await volumesWithUsage(x) } : {}),
    // Nothing is built here yet, so nothing is kept of it.
    ...(kinds.has('build-cache') ? { buildCache: [] } : {}),
  };
  reply.json(diskUsage(found, (id) => users.get(id)?.length ?? 0, x.api));
};

/** What everything takes on disk. */
export const diskUsageRoutes: readonly Route[] = [
  route('GET', '/system/df', usage),
  route('POST', '/build/prune', (x, reply) => {
    parseFilters(x.query.text('filters'), CACHE_FILTERS);
    x.engine.events.emit({ type: 'builder', action: 'prune', actor: { id: '', attributes: { reclaimed: '0' } } });
    reply.json({ CachesDeleted: null, SpaceReclaimed: 0 });
  }),
];
