import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { importBusybox, onBoth } from '../support/both.ts';
import { startGantry, type TestEngine } from '../support/gantry.ts';
import type { Target } from '../support/target.ts';

const call = (target: Target, method: string, path: string, filters?: object, version = '1.41') => {
  const query = filters === undefined ? '' : `?filters=${encodeURIComponent(JSON.stringify(filters))}`;
  return target.api(method, `/v${version}${path}${query}`);
};

async function make(target: Target, name: string, labels: Record<string, string> | null, options?: object) {
  const made = await target.api('POST', '/volumes/create', { Name: name, Labels: labels, DriverOpts: options });
  assert.equal(made.status, 201, made.text);
}

const TMPFS = { type: 'tmpfs', device: 'tmpfs' };

/** Four with names, one of them in use, and one without a name, called `-` below. */
async function stock(target: Target): Promise<{ anonymous: string; container: string }> {
  await make(target, 'web', { tier: 'front', 'a.b': '' });
  await make(target, 'web-data', { tier: 'back' });
  await make(target, 'plain', null);
  await make(target, 'mounted', { tier: 'front' }, TMPFS);
  const anonymous = (await target.api('POST', '/volumes/create', {})).json<{ Name: string }>().Name;
  const HostConfig = { Binds: ['web-data:/d'] };
  const created = await target.api('POST', '/containers/create', { Image: 'busybox', Cmd: ['true'], HostConfig });
  return { anonymous, container: created.json<{ Id: string }>().Id };
}

/** Names in order, or what was said and the status. */
async function listed(target: Target, filters: object, anonymous: string): Promise<string> {
  const reply = await call(target, 'GET', '/volumes', filters);
  if (reply.status !== 200) return `${reply.status} ${reply.json<{ message: string }>().message}`;
  const { Volumes } = reply.json<{ Volumes: { Name: string }[] | null }>();
  const names = (Volumes ?? []).map(({ Name }) => (Name === anonymous ? '-' : Name));
  return names.toSorted().join(' ');
}

const LISTS: readonly (readonly [filters: object, names: string])[] = [
  [{}, '- mounted plain web web-data'],
  [{ name: ['web'] }, 'web web-data'],
  [{ name: ['^web$'] }, 'web'],
  [{ name: ['eb-d'] }, 'web-data'],
  [{ name: ['plain', 'mounted'] }, 'mounted plain'],
  [{ name: ['['] }, ''],
  [{ name: [] }, '- mounted plain web web-data'],
  [{ driver: ['local'] }, '- mounted plain web web-data'],
  [{ driver: ['loc'] }, ''],
  [{ driver: ['local', 'nfs'] }, '- mounted plain web web-data'],
  [{ label: ['tier'] }, 'mounted web web-data'],
  [{ label: ['tier=front'] }, 'mounted web'],
  [{ label: ['tier=front', 'a.b'] }, 'web'],
  [{ label: ['tier=front', 'tier=back'] }, ''],
  [{ label: ['a.b='] }, 'web'],
  [{ dangling: ['true'] }, '- mounted plain web'],
  [{ dangling: ['1'] }, '- mounted plain web'],
  [{ dangling: ['false'] }, 'web-data'],
  [{ dangling: ['0'], name: ['plain'] }, ''],
  [{ dangling: ['maybe'] }, "400 Invalid filter 'dangling=[maybe]'"],
  [{ color: ['red'] }, "400 Invalid filter 'color'"],
  [{ 'label!': ['tier'] }, "400 Invalid filter 'label!'"],
];

/** What API 1.41 prunes, given the whole stock. */
const PRUNES: readonly (readonly [filters: object | undefined, deleted: string])[] = [
  [undefined, '- plain web'],
  [{ label: ['tier'] }, 'web'],
  [{ label: ['tier=back'] }, ''],
  [{ 'label!': ['tier'] }, '- plain'],
  [{ 'label!': ['tier=front'] }, '- plain'],
  [{ label: ['tier'], 'label!': ['a.b'] }, ''],
  [{ name: ['plain'] }, "400 Invalid filter 'name'"],
  [{ all: ['true'] }, "400 Invalid filter 'all'"],
];

async function pruned(
  target: Target,
  filters: object | undefined,
  anonymous: string,
  version = '1.41',
): Promise<string> {
  const reply = await call(target, 'POST', '/volumes/prune', filters, version);
  if (reply.status !== 200) return `${reply.status} ${reply.json<{ message: string }>().message}`;
  const { VolumesDeleted } = reply.json<{ VolumesDeleted: string[] | null }>();
  return (VolumesDeleted ?? [])
    .map((name) => (name === anonymous ? '-' : name))
    .toSorted()
    .join(' ');
}

/** dockerd 20.10 begins it with a small letter, later ones with a large one. */
const known = (said: string): string => said.replace('Invalid filter', 'invalid filter');

async function clear(target: Target): Promise<void> {
  for (const { Id } of (await target.api('GET', '/containers/json?all=1')).json<{ Id: string }[]>()) {
    assert.equal((await target.api('DELETE', `/containers/${Id}?v=1`)).status, 204);
  }
  const { Volumes } = (await target.api('GET', '/volumes')).json<{ Volumes: { Name: string }[] | null }>();
  for (const { Name } of Volumes ?? []) assert.equal((await target.api('DELETE', `/volumes/${Name}`)).status, 204);
}

onBoth('rules of volumes', {
  'which a list shows': async (target) => {
    const { anonymous } = await stock(target);
    for (const [filters, names] of LISTS) {
      assert.equal(known(await listed(target, filters, anonymous)), known(names), JSON.stringify(filters));
    }
    await clear(target);
  },

  'which are pruned': async (target) => {
    for (const [filters, deleted] of PRUNES) {
      const { anonymous } = await stock(target);
      assert.equal(known(await pruned(target, filters, anonymous)), known(deleted), JSON.stringify(filters));
      await clear(target);
    }
  },

  'labels and options are shown as they were given, and stay when it is created again': async (target) => {
    const shown = async (body: object) => {
      const {
        CreatedAt: _,
        Mountpoint,
        Name,
        ...rest
      } = (await target.api('POST', '/volumes/create', body)).json<{
        CreatedAt: string;
        Mountpoint: string;
        Name: string;
      }>();
      assert.ok(Mountpoint.endsWith(`/volumes/${Name}/_data`));
      return rest;
    };
    const plain = { Driver: 'local', Scope: 'local' };
    assert.deepEqual(await shown({ Name: 'a1' }), { ...plain, Labels: null, Options: null });
    assert.deepEqual(await shown({ Name: 'a2', Labels: {}, DriverOpts: {} }), { ...plain, Labels: {}, Options: {} });
    const full = { Labels: { a: '', 'b=c': 'd e' }, DriverOpts: TMPFS };
    assert.deepEqual(await shown({ Name: 'a3', Driver: 'local', ...full }), {
      ...plain,
      Labels: full.Labels,
      Options: TMPFS,
    });
    assert.deepEqual(await shown({ Name: 'a3' }), { ...plain, Labels: full.Labels, Options: TMPFS });
    const again = { Name: 'a3', Labels: { other: '' } };
    assert.deepEqual(await shown(again), { ...plain, Labels: full.Labels, Options: TMPFS });
    await clear(target);
  },

  'one in use is not removed, by force neither; one that there is not is, by force': async (target) => {
    const { container } = await stock(target);
    const remove = async (name: string) => {
      const { status, text } = await target.api('DELETE', `/volumes/${name}`);
      return `${status} ${text === '' ? '' : (JSON.parse(text) as { message: string }).message}`.trim();
    };
    const used = `409 remove web-data: volume is in use - [${container}]`;
    assert.deepEqual([await remove('web-data'), await remove('web-data?force=1')], [used, used]);
    assert.deepEqual(
      [await remove('nosuch'), await remove('nosuch?force=1')],
      ['404 get nosuch: no such volume', '204'],
    );
    assert.deepEqual([await remove('plain?force=1'), await remove('plain')], ['204', '404 get plain: no such volume']);
    await clear(target);
  },
});

describe('prune of volumes by API version', () => {
  let gantry: TestEngine;
  before(async () => {
    gantry = await startGantry();
    await importBusybox(gantry);
  });
  after(() => gantry[Symbol.asyncDispose]());

  // Debian's dockerd ends at 1.41. Since 1.42 only those without a name go, unless all are asked for.
  const BY_VERSION: readonly (readonly [version: string, filters: object | undefined, deleted: string])[] = [
    ['1.41', undefined, '- plain web'],
    ['1.42', undefined, '-'],
    ['1.51', undefined, '-'],
    ['1.42', { all: ['true'] }, '- plain web'],
    ['1.42', { all: ['1'], label: ['tier'] }, 'web'],
    ['1.42', { all: ['false'] }, '-'],
    ['1.42', { label: ['tier'] }, ''],
    ['1.42', { 'label!': ['tier'] }, '-'],
    ['1.42', { all: ['maybe'] }, "400 invalid filter 'all=[maybe]'"],
  ];

  test('takes those that nobody named, or all', async () => {
    for (const [version, filters, deleted] of BY_VERSION) {
      const { anonymous } = await stock(gantry);
      const what = `${version} ${JSON.stringify(filters)}`;
      assert.equal(await pruned(gantry, filters, anonymous, version), deleted, what);
      await clear(gantry);
    }
  });
});
