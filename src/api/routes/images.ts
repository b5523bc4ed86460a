import type { Filters } from '../../engine/engine.ts';
import { parseFilters } from '../../engine/filters.ts';
import { invalid } from '../../util/errors.ts';
import type { Exchange, Handler } from '../exchange.ts';
import { readPlatform } from '../platform.ts';
import { sendProgress } from '../progress.ts';
import { readRegistryAuth } from '../registry-auth.ts';
import { type Route, route } from '../router.ts';
import { historyItem, imageInspect, imageSummary } from '../shapes/image.ts';
import { notYet } from './unsupported.ts';

const LIST_FILTERS = ['before', 'since', 'dangling', 'label', 'reference', 'until'];
const PRUNE_FILTERS = ['dangling', 'until', 'label', 'label!'];

/** An image here is for one platform, so there is none to choose. */
function refusePlatform({ query }: Exchange, name: 'platform' | 'platforms', what: string): void {
  if (query.text(name) !== '') throw notYet(what);
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

const list: Handler = (x, reply) => {
  if (x.query.flag('manifests')) throw notYet('listing the manifests of images');
  const filters = listFilters(x);
  const containers = x.engine.containers.list({ all: true, limit: 0, filters: new Map() });
  const counts = Map.groupBy(containers, (c) => c.imageId);
  const images = x.engine.images.list({ all: x.query.flag('all'), filters });
  const shared = x.api >= 42 && x.query.flag('shared-size') ? x.engine.images.usage().shared : undefined;
  reply.json(
    images.map((image) => ({
      ...imageSummary(image, { containers: counts.get(image.id)?.length ?? 0, api: x.api }),
      ...(shared === undefined ? {} : { SharedSize: shared.get(image.id) ?? 0 }),
    })),
  );
};

const pull: Handler = async ({ query, engine, req, signal, api }, reply) => {
  const platform = api >= 32 ? readPlatform(query) : undefined;
  const credentials = readRegistryAuth(req);
  const steps = engine.images.pull({
    image: query.text('fromImage'),
    tag: query.text('tag'),
    ...(platform ? { platform } : {}),
    ...(credentials ? { credentials } : {}),
    signal,
  });
  await sendProgress(steps, reply);
};

const create: Handler = async (x, reply) => {
  const { query, engine, signal, api } = x;
  if (query.text('fromImage') !== '') {
    await pull(x, reply);
    return;
  }
  const source = query.text('fromSrc');
  if (source === '') throw invalid('nothing to create an image from: neither fromImage nor fromSrc is given');
  if (source !== '-') throw notYet('importing an image from a URL');
  const platform = api >= 32 ? readPlatform(query) : undefined;
  const steps = engine.images.import(x.req, {
    repo: query.text('repo'),
    tag: query.text('tag'),
    message: query.text('message'),
    changes: query.all('changes'),
    ...(platform ? { platform } : {}),
    signal,
  });
  await sendProgress(steps, reply);
};

const save =
  (names: (x: Exchange) => string[]): Handler =>
  async (x, reply) => {
    const refs = names(x);
    if (refs.length === 0) throw invalid('no images are named');
    refusePlatform(x, 'platform', 'saving one platform of an image');
    await reply.pipe('application/x-tar', await x.engine.images.save(refs, x.signal), x.signal);
  };

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
  route('POST', '/images/create', create),
  route('POST', '/images/load', async (x, reply) => {
    refusePlatform(x, 'platform', 'loading one platform of an image');
    const steps = x.engine.images.load(x.req, { quiet: x.query.flag('quiet'), signal: x.signal });
    await sendProgress(steps, reply, { early: 'told' });
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
  route('GET', '/images/:name*/json', (x, reply) => {
    if (x.query.flag('manifests')) throw notYet('listing the manifests of images');
    refusePlatform(x, 'platform', 'inspecting one platform of an image');
    reply.json(imageInspect(x.engine.images.get(x.param('name')), x.api));
  }),
  route('GET', '/images/:name*/history', (x, reply) => {
    refusePlatform(x, 'platform', 'the history of one platform of an image');
    reply.json(x.engine.images.history(x.param('name')).map(historyItem));
  }),
  route('POST', '/images/:name*/push', async (x, reply) => {
    refusePlatform(x, 'platform', 'pushing one platform of an image');
    const credentials = readRegistryAuth(x.req);
    const image = { image: x.param('name'), tag: x.query.text('tag') };
    await sendProgress(
      x.engine.images.push({ ...image, ...(credentials ? { credentials } : {}), signal: x.signal }),
      reply,
    );
  }),
  route('POST', '/images/:name*/tag', async (x, reply) => {
    await x.engine.images.tag(x.param('name'), x.query.text('repo'), x.query.text('tag'));
    reply.empty(201);
  }),
  route('DELETE', '/images/:name*', async (x, reply) => {
    refusePlatform(x, 'platforms', 'removing one platform of an image');
    const options = { force: x.query.flag('force'), noprune: x.query.flag('noprune') };
    reply.json(removed(await x.engine.images.remove(x.param('name'), options)));
  }),
];
