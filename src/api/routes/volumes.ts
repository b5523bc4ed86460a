import * as v from 'valibot';
import { filterFlag, parseFilters } from '../../engine/filters.ts';
import { orNull, text } from '../../spec/json.ts';
import { unsupported } from '../../util/errors.ts';
import { readJson } from '../json-body.ts';
import { type Route, route } from '../router.ts';
import { volumeShape } from '../shapes/volume.ts';

const LIST_FILTERS = ['dangling', 'driver', 'label', 'name'];
const PRUNE_FILTERS = ['label', 'label!'];

const CreateBodySchema = v.object({
  Name: text(),
  Driver: text(),
  DriverOpts: orNull(v.record(v.string(), v.string())),
  Labels: orNull(v.record(v.string(), v.string())),
  ClusterVolumeSpec: v.optional(v.unknown()),
});

export const volumeRoutes: readonly Route[] = [
  route('GET', '/volumes', async (x, reply) => {
    const { volumes, warnings } = await x.engine.volumes.list(parseFilters(x.query.text('filters'), LIST_FILTERS));
    reply.json({
      Volumes: volumes.map((volume) => volumeShape(volume)),
      Warnings: warnings.length > 0 ? warnings : null,
    });
  }),
  route('POST', '/volumes/create', async (x, reply) => {
    const body = await readJson(x.req, CreateBodySchema, { root: 'VolumeCreateBody' });
    if ((body.ClusterVolumeSpec ?? null) !== null) throw unsupported('cluster volumes need a swarm');
    const { Name: name, Driver: driver, DriverOpts: options, Labels: labels } = body;
    const { status: _, ...volume } = await x.engine.volumes.create({ name, driver, options, labels });
    reply.json(volumeShape(volume), 201);
  }),
  route('POST', '/volumes/prune', async (x, reply) => {
    const since42 = x.api >= 42;
    const filters = parseFilters(x.query.text('filters'), since42 ? [...PRUNE_FILTERS, 'all'] : PRUNE_FILTERS);
    const { deleted, reclaimed } = await x.engine.volumes.prune(filters, !since42 || filterFlag(filters, 'all', false));
    reply.json({ VolumesDeleted: deleted.length > 0 ? deleted : null, SpaceReclaimed: reclaimed });
  }),
  route('GET', '/volumes/:name', async (x, reply) => {
    reply.json(volumeShape(await x.engine.volumes.get(x.param('name'))));
  }),
  // Gantry's own.
  route('GET', '/volumes/:name/archive', async (x, reply) => {
    await reply.pipe('application/x-tar', await x.engine.volumeFiles.read(x.param('name'), x.signal), x.signal);
  }),
  route('PUT', '/volumes/:name/archive', async (x, reply) => {
    await x.engine.volumeFiles.write(x.param('name'), x.req, x.signal);
    reply.empty(200);
  }),
  route('DELETE', '/volumes/:name', async (x, reply) => {
    await x.engine.volumes.remove(x.param('name'), x.query.flag('force'));
    reply.empty(204);
  }),
];
