import { parseFilters } from '../../engine/filters.ts';
import { invalid } from '../../util/errors.ts';
import type { Handler } from '../exchange.ts';
import type { ReplyWriter } from '../reply.ts';
import { type Route, route } from '../router.ts';
import { eventLine } from '../shapes/event.ts';
import { infoShape } from '../shapes/info.ts';
import { versionShape } from '../shapes/version.ts';

const EVENT_FILTERS = [
  'config',
  'container',
  'daemon',
  'event',
  'image',
  'label',
  'network',
  'node',
  'plugin',
  'scope',
  'secret',
  'service',
  'type',
  'volume',
];

function pingHeaders(reply: ReplyWriter): void {
  reply.header('Cache-Control', 'no-cache, no-store, must-revalidate');
  reply.header('Pragma', 'no-cache');
  reply.header('Builder-Version', '1');
  reply.header('Swarm', 'inactive');
}

const events: Handler = async (x, reply) => {
  const filters = parseFilters(x.query.text('filters'), EVENT_FILTERS);
  const range = { since: x.query.instant('since'), until: x.query.instant('until') };
  if (range.since !== undefined && range.until !== undefined && range.since > range.until) {
    const [since, until] = [x.query.text('since'), x.query.text('until')];
    throw invalid(`\`since\` time (${since}) cannot be after \`until\` time (${until})`);
  }
  const found = x.engine.events.subscribe({ ...range, filters, signal: x.signal });
  // Clients wait for the head before they cause the events they want to see.
  const body = reply.stream('application/json');
  for await (const event of found) await body.write(eventLine(event));
  body.end();
};

const info: Handler = async (x, reply) => {
  const facts = await x.engine.system.facts();
  const filters = new Map<string, string[]>();
  const statuses = x.engine.containers.list({ all: true, limit: 0, filters }).map((c) => c.state.status);
  const images = x.engine.images.list({ all: true, filters }).length;
  reply.json(infoShape(facts, { statuses, images, volumeDrivers: x.engine.volumes.drivers(), now: new Date() }, x.api));
};

/** The engine itself. */
export const systemRoutes: readonly Route[] = [
  route('GET', '/_ping', (_, reply) => {
    pingHeaders(reply);
    reply.text('OK');
  }),
  route('HEAD', '/_ping', (_, reply) => {
    pingHeaders(reply);
    reply.header('Content-Type', 'text/plain; charset=utf-8');
    reply.empty(200);
  }),
  route('GET', '/version', async (x, reply) => reply.json(versionShape(await x.engine.system.facts()))),
  route('GET', '/info', info),
  route('GET', '/events', events),
  // Of managed plugins, as in Docker; those that listen by themselves are in no list.
  route('GET', '/plugins', (_, reply) => reply.json([])),
];
