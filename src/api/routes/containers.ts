import * as v from 'valibot';
import type { Container } from '../../engine/containers/model.ts';
import type { Engine } from '../../engine/engine.ts';
import { parseFilters } from '../../engine/filters.ts';
import { CreateBodySchema, type EndpointConfig, HostConfigSchema, UpdateBodySchema } from '../../spec/container.ts';
import { forbidden, invalid, kindOf, messageOf } from '../../util/errors.ts';
import type { Exchange, Handler } from '../exchange.ts';
import {
  changesOfVersion,
  hostConfigOfVersion,
  refuseManyNetworks,
  volumeDriverWarnings,
} from '../host-config-versions.ts';
import { readJson } from '../json-body.ts';
import { readPlatform } from '../platform.ts';
import { type Route, route } from '../router.ts';
import { containerInspect } from '../shapes/container-inspect.ts';
import { containerStats } from '../shapes/container-stats.ts';
import { containerSummary } from '../shapes/container-summary.ts';

const LIST_FILTERS = [
  'ancestor',
  'before',
  'exited',
  'expose',
  'health',
  'id',
  'is-task',
  'isolation',
  'label',
  'name',
  'network',
  'publish',
  'since',
  'status',
  'volume',
];
const PRUNE_FILTERS = ['until', 'label', 'label!'];

/** The name a container's image has in a list: as it was given, or its id once the name means another image. */
function imageNames({ images }: Engine): (c: Container) => string {
  const ids = new Map<string, string>();
  const resolve = (ref: string): string => {
    try {
      return images.get(ref).id;
    } catch {
      return '';
    }
  };
  return ({ config: { Image }, imageId }) => {
    if (!ids.has(Image)) ids.set(Image, resolve(Image));
    return ids.get(Image) === imageId ? Image : imageId;
  };
}

type Item = ReturnType<typeof containerSummary>;

/** Containers as items of a list. */
export function listed({ engine, api }: Exchange, found: readonly Container[]): Item[] {
  const image = imageNames(engine);
  const now = Date.now();
  return found.map((c) => containerSummary(c, { image: image(c), now, api }));
}

/** Every container there is, running or not. */
export const allContainers = ({ engine }: Exchange): Container[] =>
  engine.containers.list({ all: true, limit: 0, filters: new Map() });

/** Items with what they take on disk; one that is removed meanwhile is left out, and as in Docker a size of 0 is not written. */
export async function withSizes(
  containers: Engine['containers'],
  items: readonly Item[],
): Promise<(Item & { SizeRw?: number; SizeRootFs: number })[]> {
  const sized = items.map(async (item) => {
    try {
      const { rw, rootFs } = await containers.size(item.Id);
      return [{ ...item, ...(rw === 0 ? {} : { SizeRw: rw }), SizeRootFs: rootFs }];
    } catch (error) {
      if (kindOf(error) === 'not-found') return [];
      throw error;
    }
  });
  return (await Promise.all(sized)).flat();
}

const list: Handler = async (x, reply) => {
  const { containers } = x.engine;
  const limit = x.query.int('limit') ?? 0;
  const all = x.query.flag('all') || limit > 0;
  const found = containers.list({ all, limit, filters: parseFilters(x.query.text('filters'), LIST_FILTERS) });
  const items = listed(x, found);
  reply.json(x.query.flag('size') ? await withSizes(containers, items) : items);
};

/** @throws `invalid` for a network without settings. */
function endpointsOf(config: Record<string, EndpointConfig | null>): Record<string, EndpointConfig> {
  const entries = Object.entries(config).map(([name, endpoint]): [string, EndpointConfig] => {
    if (endpoint === null) throw invalid(`no EndpointSettings for ${name}`);
    return [name, endpoint];
  });
  return Object.fromEntries(entries);
}

const create: Handler = async (x, reply) => {
  const body = await readJson(x.req, CreateBodySchema, { root: 'CreateRequest' });
  const { HostConfig, NetworkingConfig, ...config } = body;
  // Came with 1.44; older clients could not mean it.
  if (x.api < 44 && config.Healthcheck !== null) config.Healthcheck.StartInterval = 0;
  const hostConfig = hostConfigOfVersion(HostConfig ?? v.parse(HostConfigSchema, {}), x.api);
  const endpoints = endpointsOf(NetworkingConfig?.EndpointsConfig ?? {});
  refuseManyNetworks(Object.keys(endpoints), x.api);
  const platform = x.api >= 41 ? readPlatform(x.query) : undefined;
  const { id, warnings } = await x.engine.containers.create({
    name: x.query.text('name'),
    config,
    hostConfig,
    readOnlyBelow: x.api >= 44,
    oldCgroupns: x.api < 41,
    endpoints,
    ...(platform ? { platform } : {}),
  });
  reply.json({ Id: id, Warnings: [...warnings, ...volumeDriverWarnings(hostConfig, x.api)] }, 201);
};

const inspect: Handler = async (x, reply) => {
  const { containers } = x.engine;
  const container = containers.get(x.param('id'));
  const size = x.query.flag('size') ? await containers.size(container.id) : undefined;
  reply.json(containerInspect(container, { api: x.api, size }));
};

function stopOptions({ query, api }: Exchange): { seconds?: number; signal?: string } {
  const seconds = query.int('t');
  const signal = api >= 42 ? query.text('signal') : '';
  return { ...(seconds === undefined ? {} : { seconds }), ...(signal === '' ? {} : { signal }) };
}

const CONDITIONS = ['not-running', 'next-exit', 'removed'] as const;

const wait: Handler = async (x, reply) => {
  const asked = x.query.text('condition') || 'not-running';
  const condition = CONDITIONS.find((one) => one === asked);
  if (!condition) throw invalid(`invalid condition: ${JSON.stringify(asked)}`);
  const { exited } = x.engine.containers.wait(x.param('id'), condition, x.signal);
  // The client starts the container only once it has seen the head.
  const body = reply.stream('application/json');
  const result = await exited.then(
    ({ statusCode, error }) => ({
      StatusCode: statusCode,
      ...(error === undefined ? {} : { Error: { Message: error } }),
    }),
    (error: unknown) => ({ StatusCode: -1, Error: { Message: messageOf(error) } }),
  );
  await body.write(`${JSON.stringify(result)}\n`);
  body.end();
};

const stats: Handler = async (x, reply) => {
  const query = { stream: x.query.flag('stream', true), oneShot: x.api >= 41 && x.query.flag('one-shot') };
  if (query.stream && query.oneShot) throw invalid('cannot have stream=true and one-shot=true');
  const found = x.engine.containers.stats(x.param('id'), { ...query, signal: x.signal });
  // Clients draw what they know before the first figures come.
  const body = reply.stream('application/json');
  for await (const one of found) await body.write(`${JSON.stringify(containerStats(one))}\n`);
  body.end();
};

/** A handler for a call that changes a container and answers with nothing. */
const change =
  (status: number, work: (x: Exchange, ref: string) => Promise<void>): Handler =>
  async (x, reply) => {
    await work(x, x.param('id'));
    reply.empty(status);
  };

/** Old clients sent the host's side of the configuration with the start; an empty object may still come. */
function refuseStartBody({ req: { headers } }: Exchange): void {
  if (headers['transfer-encoding'] === undefined && Number(headers['content-length'] ?? 0) <= 7) return;
  throw invalid('starting container with non-empty request body was deprecated since API v1.22 and removed in v1.24');
}

/** There are no checkpoints to start from. */
function refuseCheckpoint({ query }: Exchange): void {
  if (query.text('checkpoint') !== '') throw invalid('checkpoint is only supported in experimental mode');
  if (query.text('checkpoint-dir') !== '') throw forbidden('custom checkpointdir is not supported');
}

/** The life of containers. */
export const containerRoutes: readonly Route[] = [
  route('GET', '/containers/json', list),
  route('POST', '/containers/create', create),
  route('POST', '/containers/prune', async (x, reply) => {
    const filters = parseFilters(x.query.text('filters'), PRUNE_FILTERS);
    const { deleted, reclaimed } = await x.engine.containers.prune(filters);
    reply.json({ ContainersDeleted: deleted.length > 0 ? deleted : null, SpaceReclaimed: reclaimed });
  }),
  route('GET', '/containers/:id/json', inspect),
  route('GET', '/containers/:id/top', async (x, reply) => {
    const { titles, processes } = await x.engine.containers.top(x.param('id'), x.query.text('ps_args') || '-ef');
    reply.json({ Processes: processes.length > 0 ? processes : null, Titles: titles });
  }),
  route(
    'POST',
    '/containers/:id/start',
    change(204, (x, ref) => {
      refuseStartBody(x);
      refuseCheckpoint(x);
      return x.engine.containers.start(ref);
    }),
  ),
  route(
    'POST',
    '/containers/:id/stop',
    change(204, (x, ref) => x.engine.containers.stop(ref, stopOptions(x))),
  ),
  route(
    'POST',
    '/containers/:id/restart',
    change(204, (x, ref) => x.engine.containers.restart(ref, stopOptions(x))),
  ),
  route(
    'POST',
    '/containers/:id/kill',
    change(204, (x, ref) => x.engine.containers.kill(ref, x.query.text('signal'))),
  ),
  route(
    'POST',
    '/containers/:id/pause',
    change(204, (x, ref) => x.engine.containers.pause(ref)),
  ),
  route(
    'POST',
    '/containers/:id/unpause',
    change(204, (x, ref) => x.engine.containers.unpause(ref)),
  ),
  route(
    'POST',
    '/containers/:id/rename',
    change(204, (x, ref) => {
      const name = x.query.text('name');
      if (name === '') throw invalid('Neither old nor new names may be empty');
      return x.engine.containers.rename(ref, name);
    }),
  ),
  route(
    'POST',
    '/containers/:id/resize',
    change(200, (x, ref) => {
      const size = { height: x.query.requiredInt('h'), width: x.query.requiredInt('w') };
      return x.engine.containers.resize(ref, size);
    }),
  ),
  route('POST', '/containers/:id/wait', wait),
  route('POST', '/containers/:id/update', async (x, reply) => {
    const asked = await readJson(x.req, UpdateBodySchema, { root: 'UpdateConfig' });
    const changes = changesOfVersion(asked, x.api);
    const warnings = await x.engine.containers.update(x.param('id'), changes);
    reply.json({ Warnings: warnings.length === 0 ? null : warnings });
  }),
  route('GET', '/containers/:id/stats', stats),
  route(
    'DELETE',
    '/containers/:id',
    change(204, ({ engine, query }, ref) => {
      const options = { force: query.flag('force'), volumes: query.flag('v'), link: query.flag('link') };
      return engine.containers.remove(ref, options);
    }),
  ),
];
