import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import * as v from 'valibot';
import type { PathChange } from '../../engine/engine.ts';
import { type ContainerConfig, ContainerConfigSchema } from '../../spec/container.ts';
import { invalid } from '../../util/errors.ts';
import type { Exchange, Handler } from '../exchange.ts';
import { checkJson, readJson } from '../json-body.ts';
import { type Route, route } from '../router.ts';
import { pathStatHeader } from '../shapes/path-stat.ts';

const STAT_HEADER = 'X-Docker-Container-Path-Stat';
const KINDS: Readonly<Record<PathChange['kind'], number>> = { modified: 0, added: 1, deleted: 2 };

function askedPath({ query }: Exchange): string {
  const path = query.text('path');
  if (path === '') throw invalid('bad parameter: path cannot be empty');
  return path;
}

const stat: Handler = async (x, reply) => {
  const path = askedPath(x);
  reply.header(STAT_HEADER, pathStatHeader(await x.engine.files.stat(x.param('id'), path, x.signal)));
  reply.empty(200);
};

const read: Handler = async (x, reply) => {
  const path = askedPath(x);
  const { stat: found, archive } = await x.engine.files.read(x.param('id'), path, x.signal);
  reply.header(STAT_HEADER, pathStatHeader(found));
  await reply.pipe(
    'application/x-tar',
    compressed(x, archive, (name) => reply.header('Content-Encoding', name)),
    x.signal,
  );
};

/** The archive as the client would have it. */
function compressed({ req, signal }: Exchange, archive: Readable, tell: (encoding: string) => void): Readable {
  const accepted = (req.headers['accept-encoding'] ?? '').split(',');
  if (!accepted.some((one) => /^\s*(?:x-)?gzip\s*(?:;\s*q=(?!0(?:\.0*)?\s*$).*)?$/.test(one))) return archive;
  tell('gzip');
  const gzip = createGzip();
  // Whoever reads the output meets its error there.
  pipeline(archive, gzip, { signal }).catch(() => {});
  return gzip;
}

const write: Handler = async (x, reply) => {
  const path = askedPath(x);
  const options = { keepKinds: x.query.flag('noOverwriteDirNonDir'), toUser: x.query.flag('copyUIDGID') };
  await x.engine.files.write(x.param('id'), path, x.req, { ...options, signal: x.signal });
  reply.empty(200);
};

const hasBody = ({ req: { headers } }: Exchange): boolean =>
  headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;

const CONFIG_FIELDS = Object.keys(ContainerConfigSchema.entries).map((name) => name.toLowerCase());
const isField = (name: string): boolean => CONFIG_FIELDS.includes(name.toLowerCase());

/** The config of a body; none when it says nothing of one, as that of a client that only sends an empty object. */
async function bodyConfig(req: Exchange['req']): Promise<ContainerConfig | undefined> {
  const body = await readJson(req, v.unknown(), { root: 'Config' });
  const isSilent = v.is(v.record(v.string(), v.unknown()), body) && !Object.keys(body).some(isField);
  if (isSilent) return undefined;
  return checkJson(ContainerConfigSchema, 'Config', body);
}

const commit: Handler = async (x, reply) => {
  const { query, engine } = x;
  const config = hasBody(x) ? await bodyConfig(x.req) : undefined;
  const ref = query.text('container');
  if (ref === '') throw invalid('invalid name or ID supplied: ""');
  engine.containers.get(ref);
  const options = {
    repo: query.text('repo'),
    tag: query.text('tag'),
    comment: query.text('comment'),
    author: query.text('author'),
    pause: query.flag('pause', true),
    changes: query.all('changes'),
    ...(config === undefined ? {} : { config }),
  };
  reply.json({ Id: await engine.files.commit(ref, options, x.signal) }, 201);
};

/** The files of containers, and the images made of them. */
export const containerFileRoutes: readonly Route[] = [
  route('HEAD', '/containers/:id/archive', stat),
  route('GET', '/containers/:id/archive', read),
  route('PUT', '/containers/:id/archive', write),
  route('GET', '/containers/:id/changes', async (x, reply) => {
    const changes = await x.engine.files.changes(x.param('id'), x.signal);
    reply.json(changes.length === 0 ? null : changes.map(({ path, kind }) => ({ Path: path, Kind: KINDS[kind] })));
  }),
  route('GET', '/containers/:id/export', async (x, reply) => {
    await reply.pipe('application/octet-stream', await x.engine.files.export(x.param('id'), x.signal), x.signal);
  }),
  route('POST', '/commit', commit),
];
