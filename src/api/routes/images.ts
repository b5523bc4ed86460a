import type { Filters } from '../../engine/engine.ts';
import { parseFilters } from '../../engine/filters.ts';
import type { Platform } from '../../spec/image.ts';
import { invalid, messageOf } from '../../util/errors.ts';
import type { Exchange, Handler } from '../exchange.ts';
import { readPlatform, readPlatformJson, readPlatformsJson } from '../platform.ts';
import { sendProgress } from '../progress.ts';
import type { Query } from '../query.ts';
import { readRegistryAuth } from '../registry-auth.ts';
import { type Route, route } from '../router.ts';
import { historyItem, imageInspect, imageSummary, manifestsShape, searchItem } from '../shapes/image.ts';

const LIST_FILTERS = ['before', 'since', 'dangling', 'label', 'reference', 'until'];
const PRUNE_FILTERS = ['dangling', 'until', 'label', 'label!'];

/** A parameter of the endpoint from one API version on; before, Docker does not know it. */
function platformFrom({ query, api }: Exchange, since: number): { platform?: Platform } {
  const platform = api < since ? undefined : readPlatformJson(query);
  return platform === undefined ? {} : { platform };
}

const removed = ({ untagged, deleted }: { untagged: string[]; deleted: string[] }) => [
  ...untagged.map((Untagged) => ({ Untagged })),
  ...deleted.map((Deleted) => ({ Deleted })),
];

/** Old clients have a parameter of its own for names. */
function listFilters({ query, api }: Exchange): Filters {
  const filters = parseFilters(query.text('filters'), LIST_FILTERS);
  const name = api < 41 ? query.text('filter') : '';
  return name === '' ? filters : new Map(filters).set('reference', [...(filters.get('reference') ?? []), name]);
}

/** Ids of the containers made of each image. */
function containersByImage({ engine: { containers } }: Exchange): Map<string, string[]> {
  const all = containers.list({ all: true, limit: 0, filters: new Map() });
  return new Map([...Map.groupBy(all, (c) => c.imageId)].map(([image, of]) => [image, of.map(({ id }) => id)]));
}

const list: Handler = async (x, reply) => {
  const filters = listFilters(x);
  const users = containersByImage(x);
  const images = x.engine.images.list({ all: x.query.flag('all'), filters });
  const shared = x.api >= 42 && x.query.flag('shared-size') ? x.engine.images.usage().shared : undefined;
  const items = images.map(async (image) => ({
    ...imageSummary(image, { containers: users.get(image.id)?.length ?? 0, api: x.api }),
    ...(shared === undefined ? {} : { SharedSize: shared.get(image.id) ?? 0 }),
    ...(x.api >= 47 && x.query.flag('manifests') ? manifestsShape(await x.engine.images.manifests(image), users) : {}),
  }));
  reply.json(await Promise.all(items));
};

const inspect: Handler = async (x, reply) => {
  const { platform } = platformFrom(x, 49);
  const manifests = x.api >= 48 && x.query.flag('manifests');
  if (manifests && platform !== undefined) {
    throw invalid('conflicting options: manifests and platform options cannot both be set');
  }
  const image = x.engine.images.get(x.param('name'), platform);
  const shape = imageInspect(image, x.api);
  if (!manifests) reply.json(shape);
  else {
    const { Manifests } = manifestsShape(await x.engine.images.manifests(image), containersByImage(x));
    reply.json({ ...shape, Manifests });
  }
};

const pull: Handler = async (x, reply) => {
  const { query, engine, req, signal, api } = x;
  const platform = api >= 32 ? readPlatform(query) : undefined;
  const credentials = readRegistryAuth(req);
  const steps = engine.images.pull({
    image: query.text('fromImage'),
    tag: query.text('tag'),
    ...(platform ? { platform } : {}),
    ...(credentials ? { credentials } : {}),
    signal,
  });
  await sendProgress(x, steps, reply);
};

const create: Handler = async (x, reply) => {
  const { query, engine, signal, api } = x;
  if (query.text('fromImage') !== '') {
    await pull(x, reply);
    return;
  }
  const source = query.text('fromSrc');
  if (source === '') throw invalid('nothing to create an image from: neither fromImage nor fromSrc is given');
  const platform = api >= 32 ? readPlatform(query) : undefined;
  const steps = engine.images.import(source === '-' ? x.req : source, {
    repo: query.text('repo'),
    tag: query.text('tag'),
    message: query.text('message'),
    changes: query.all('changes'),
    ...(platform ? { platform } : {}),
    signal,
  });
  await sendProgress(x, steps, reply);
};

const save =
  (names: (x: Exchange) => string[]): Handler =>
  async (x, reply) => {
    const refs = names(x);
    if (refs.length === 0) throw invalid('no images are named');
    const { signal } = x;
    const archive = await x.engine.images.save({ refs, ...platformFrom(x, 48), signal });
    await reply.pipe('application/x-tar', archive, signal);
  };

/** As many as Docker asks for when nobody says. */
const SEARCH_DEFAULT = 25;

const search: Handler = async ({ query, engine, req, signal }, reply) => {
  const found = await engine.distribution.search({
    term: query.text('term'),
    limit: searchLimit(query),
    filters: parseFilters(query.text('filters')),
    credentials: readRegistryAuth(req),
    signal,
  });
  reply.json(found.map(searchItem));
};

function searchLimit(query: Query): number {
  try {
    return query.int('limit') ?? SEARCH_DEFAULT;
  } catch (error) {
    throw invalid(`invalid limit specified: ${messageOf(error)}`, error);
  }
}

/** Images and their names. */
export const imageRoutes: readonly Route[] = [
  route('GET', '/images/json', list),
  route(
    'GET',
    '/images/get',
    save((x) =>
      x.query
        .all('names')
        .flatMap((names) => names.split(','))
        .filter(Boolean),
    ),
  ),
  route('GET', '/images/search', search),
  // Beyond Docker.
  route('POST', '/gantry/check', async (x, reply) => {
    await sendProgress(x, x.engine.images.check({ repair: x.query.flag('repair'), signal: x.signal }), reply);
  }),
  route('POST', '/images/create', create),
  route('POST', '/images/load', async (x, reply) => {
    const options = { quiet: x.query.flag('quiet'), ...platformFrom(x, 48), signal: x.signal };
    await sendProgress(x, x.engine.images.load(x.req, options), reply, { early: 'told' });
  }),
  route('POST', '/images/prune', async (x, reply) => {
    const filters = parseFilters(x.query.text('filters'), PRUNE_FILTERS);
    const { reclaimed, ...names } = await x.engine.images.prune(filters);
    const items = removed(names);
    reply.json({ ImagesDeleted: items.length > 0 ? items : null, SpaceReclaimed: reclaimed });
  }),
  route(
    'GET',
    '/images/:name*/get',
    save((x) => [x.param('name')]),
  ),
  route('GET', '/images/:name*/json', inspect),
  route('GET', '/images/:name*/history', (x, reply) => {
    const { platform } = platformFrom(x, 48);
    reply.json(x.engine.images.history(x.param('name'), platform).map(historyItem));
  }),
  route('POST', '/images/:name*/push', async (x, reply) => {
    const credentials = readRegistryAuth(x.req);
    const image = { image: x.param('name'), tag: x.query.text('tag'), ...platformFrom(x, 46) };
    await sendProgress(
      x,
      x.engine.images.push({ ...image, ...(credentials ? { credentials } : {}), signal: x.signal }),
      reply,
    );
  }),
  route('POST', '/images/:name*/tag', async (x, reply) => {
    await x.engine.images.tag(x.param('name'), x.query.text('repo'), x.query.text('tag'));
    reply.empty(201);
  }),
  route('DELETE', '/images/:name*', async (x, reply) => {
    if (x.param('name').trim() === '') throw invalid('image name cannot be blank');
    const platforms = x.api < 50 ? [] : readPlatformsJson(x.query, 'platforms');
    const options = { force: x.query.flag('force'), noprune: x.query.flag('noprune'), platforms };
    reply.json(removed(await x.engine.images.remove(x.param('name'), options)));
  }),
];
