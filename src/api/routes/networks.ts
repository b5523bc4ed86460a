import { parseFilters } from '../../engine/filters.ts';
import { type Route, route } from '../router.ts';
import { networkShape } from '../shapes/network.ts';

const PRUNE_FILTERS = ['until', 'label', 'label!'];
const LIST_FILTERS = ['dangling', 'driver', 'id', 'label', 'name', 'scope', 'type'];

/** The networks that are always there. */
export const networkRoutes: readonly Route[] = [
  route('GET', '/networks', (x, reply) => {
    const networks = x.engine.networks.list(parseFilters(x.query.text('filters'), LIST_FILTERS));
    reply.json(networks.map((network) => networkShape(network, { containers: [], api: x.api })));
  }),
  // The predefined networks, the only ones there are, always count as used.
  route('POST', '/networks/prune', (x, reply) => {
    parseFilters(x.query.text('filters'), PRUNE_FILTERS);
    x.engine.events.emit({ type: 'network', action: 'prune', actor: { id: '', attributes: { reclaimed: '0' } } });
    reply.json({ NetworksDeleted: null });
  }),
  route('GET', '/networks/:id', (x, reply) => {
    const network = x.engine.networks.get(x.param('id'));
    const containers = x.engine.containers.list({ all: false, limit: 0, filters: new Map() });
    reply.json(networkShape(network, { containers, api: x.api }));
  }),
];
