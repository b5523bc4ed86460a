import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openFixture } from '../api-fixture.ts';
import { fakeContainer, IMAGE_ID } from '../fake-engine.ts';

type Item = Record<string, unknown>;

test('list, inspect and history', async () => {
  await using api = await openFixture();
  api.engine.all.push(fakeContainer());
  const [item] = (await api.call('GET', '/images/json')).json as Item[];
  assert.deepEqual([item?.['Id'], item?.['Containers']], [IMAGE_ID, 1]);
  const [shared] = (await api.call('GET', '/images/json?shared-size=1')).json as Item[];
  assert.deepEqual([item?.['SharedSize'], shared?.['SharedSize']], [-1, 5]);
  for (const name of ['busybox', 'a/b/busybox', 'a%2Fb%2Fbusybox', IMAGE_ID]) {
    assert.equal(((await api.call('GET', `/images/${name}/json`)).json as Item)['Id'], IMAGE_ID, name);
  }
  assert.equal((await api.call('GET', '/images/none/json')).status, 404);
  assert.equal(((await api.call('GET', '/images/busybox/history')).json as Item[]).length, 1);
});

test('registries are asked with the credentials that the client sends along', async () => {
  await using api = await openFixture();
  const auth = Buffer.from(JSON.stringify({ username: 'ann', password: 'secret' })).toString('base64url');
  const headers = { 'x-registry-auth': auth };
  const credentials = { username: 'ann', password: 'secret', identityToken: '', registryToken: '' };
  await api.call('POST', '/images/create?fromImage=busybox&tag=latest&platform=linux/arm64', undefined, headers);
  await api.call('POST', '/images/busybox/push?tag=1', undefined, headers);
  // What cannot be read is nobody, as with Docker.
  await api.call('POST', '/images/create?fromImage=busybox', undefined, { 'x-registry-auth': 'nonsense' });
  assert.deepEqual(api.engine.calls, [
    ['pull', 'busybox', 'latest', { os: 'linux', architecture: 'arm64' }, credentials],
    ['push', 'busybox', '1', undefined, credentials],
    ['pull', 'busybox', '', undefined, undefined],
  ]);
  api.engine.calls.length = 0;
  const missing = await api.call('POST', '/images/create?fromImage=missing&tag=latest');
  assert.deepEqual([missing.status, missing.json], [404, { message: 'manifest for missing:latest not found' }]);
  const login = (password: string) =>
    api.call('POST', '/auth', { username: 'ann', password, serveraddress: 'host:5000' });
  assert.deepEqual((await login('secret')).json, { IdentityToken: 'identity', Status: 'Login Succeeded' });
  const wrong = await login('wrong');
  assert.deepEqual([wrong.status, wrong.json], [401, { message: 'unauthorized: incorrect username or password' }]);
  const { json } = await api.call('GET', '/distribution/a/b/json', undefined, headers);
  assert.deepEqual((json as Item)['Platforms'], [{ os: 'linux', architecture: 'arm64' }]);
  assert.deepEqual(api.engine.calls.at(-1), ['distribution', 'a/b', credentials]);
});

test('an image that comes from nowhere is refused', async () => {
  await using api = await openFixture();
  assert.equal((await api.call('POST', '/images/create')).status, 400);
});

const ARM = encodeURIComponent('{"os":"linux","architecture":"arm64","variant":"v8"}');
const arm = { os: 'linux', architecture: 'arm64', variant: 'v8' };

test('one platform of an image can be asked for from the version on that knows it', async () => {
  await using api = await openFixture();
  const last = async (method: string, path: string): Promise<unknown> => {
    await api.call(method, path);
    return api.engine.calls.at(-1)?.[api.engine.calls.at(-1)?.[0] === 'push' ? 3 : 2];
  };
  assert.deepEqual(await last('POST', `/v1.46/images/busybox/push?tag=1&platform=${ARM}`), arm);
  assert.equal(await last('POST', `/v1.45/images/busybox/push?tag=1&platform=${ARM}`), undefined);
  assert.deepEqual(await last('GET', `/v1.48/images/busybox/get?platform=${ARM}`), arm);
  assert.equal(await last('GET', `/v1.47/images/busybox/get?platform=${ARM}`), undefined);
  assert.deepEqual(await last('POST', `/v1.48/images/load?platform=${ARM}`), arm);
  assert.deepEqual(await last('DELETE', `/v1.50/images/busybox?platforms=${ARM}`), [arm]);
  assert.deepEqual(await last('DELETE', `/v1.49/images/busybox?platforms=${ARM}`), []);
  for (const [path, status] of [
    [`/v1.48/images/busybox/json?platform=${ARM}`, 200],
    [`/v1.49/images/busybox/json?platform=${ARM}`, 404],
    [`/v1.49/images/busybox/json?platform=`, 200],
    [`/v1.49/images/busybox/json?manifests=1&platform=${ARM}`, 400],
    ['/v1.49/images/busybox/json?platform=linux', 400],
    ['/v1.49/images/busybox/json?platform=%7B%22os%22:%22linux%22%7D', 400],
    ['/v1.49/images/busybox/json?platform=%7B%22variant%22:%22v8%22%7D', 400],
    [`/v1.49/images/busybox/json?platform=${ARM}&platform=${ARM}`, 400],
  ] as const) {
    assert.equal((await api.call('GET', path)).status, status, path);
  }
});

test('manifests are listed from the version on that knows them', async () => {
  await using api = await openFixture();
  api.engine.all.push(fakeContainer({ id: 'c'.repeat(64) }));
  const list = async (version: string): Promise<Item> =>
    ((await api.call('GET', `/${version}/images/json?manifests=1`)).json as Item[])[0] ?? {};
  assert.equal('Manifests' in (await list('v1.46')), false);
  assert.equal('Descriptor' in (await list('v1.47')), false);
  assert.equal('Descriptor' in (await list('v1.48')), true);
  const { Manifests, Size } = await list('v1.47');
  const [image, attestation] = Manifests as Item[];
  assert.deepEqual(image?.['Size'], { Content: 4, Total: 11 });
  assert.equal(Size, 11);
  assert.deepEqual(image?.['ImageData'], {
    Platform: { architecture: 'amd64', os: 'linux' },
    Containers: ['c'.repeat(64)],
    Size: { Unpacked: 7 },
  });
  assert.deepEqual([attestation?.['Kind'], attestation?.['Available']], ['attestation', false]);
  assert.match(JSON.stringify(attestation?.['AttestationData']), /"For":"sha256:/);
  const inspected = (await api.call('GET', '/v1.48/images/busybox/json?manifests=1')).json as Item;
  assert.deepEqual(inspected['Manifests'], Manifests);
  assert.equal('Manifests' in ((await api.call('GET', '/v1.48/images/busybox/json')).json as Item), false);
});

test('tag, remove, prune', async () => {
  await using api = await openFixture();
  assert.equal((await api.call('POST', '/images/busybox/tag?repo=r/x&tag=1')).status, 201);
  assert.deepEqual(api.engine.calls, [['tag', IMAGE_ID, 'r/x', '1']]);
  const removed = await api.call('DELETE', '/images/busybox');
  assert.deepEqual(removed.json, [{ Untagged: 'busybox:latest' }, { Deleted: IMAGE_ID }]);
  const pruned = await api.call('POST', '/images/prune');
  assert.deepEqual(pruned.json, { ImagesDeleted: [{ Deleted: IMAGE_ID }], SpaceReclaimed: 7 });
});

test('load: progress by line, and every error in the stream, as in Docker', async () => {
  await using api = await openFixture();
  const good = await api.call('POST', '/images/load', 'archive');
  assert.deepEqual([good.status, good.body], [200, '{"stream":"Loaded 7\\n"}\r\n']);
  const early = await api.call('POST', '/images/load');
  assert.deepEqual([early.status, Object.keys(early.json as object)], [200, ['errorDetail', 'error']]);
  const late = await api.call('POST', '/images/load', 'broken');
  assert.equal(late.status, 200);
  assert.deepEqual(
    late.body
      .trim()
      .split('\r\n')
      .map((line) => JSON.parse(line)),
    [{ stream: 'Loaded 6\n' }, { errorDetail: { message: 'unexpected EOF' }, error: 'unexpected EOF' }],
  );
});

test('import', async () => {
  await using api = await openFixture();
  const url = '/images/create?fromSrc=-&repo=r&tag=t&message=m&changes=CMD+a&changes=ENV+b=c';
  const { body } = await api.call('POST', url, 'tarball');
  assert.equal(body, '{"status":"7"}\r\n');
  assert.deepEqual(api.engine.calls, [['import', 'r', 't', 'm', ['CMD a', 'ENV b=c']]]);
  assert.equal(
    (await api.call('POST', '/images/create?fromSrc=http://x/y.tar')).body,
    '{"status":"http://x/y.tar"}\r\n',
  );
});

test('save: one or many, checked before the first byte', async () => {
  await using api = await openFixture();
  const one = await api.call('GET', '/images/a/b/busybox/get');
  assert.deepEqual([one.headers['content-type'], one.body], ['application/x-tar', 'tar of a/b/busybox']);
  const many = await api.call('GET', '/images/get?names=busybox&names=busybox:latest');
  assert.equal(many.body, 'tar of busybox busybox:latest');
  assert.equal((await api.call('GET', '/images/get?names=none')).status, 404);
  assert.equal((await api.call('GET', '/images/get')).status, 400);
});

test('search', async () => {
  await using api = await openFixture();
  assert.deepEqual((await api.call('GET', '/images/search?term=x&limit=7')).json, [
    { star_count: 3, is_official: true, name: 'x', is_automated: false, description: 'd' },
  ]);
  await api.call('GET', '/images/search?term=x');
  assert.deepEqual(api.engine.calls, [
    ['search', 'x', 7],
    ['search', 'x', 25],
  ]);
  const wrong = await api.call('GET', '/images/search?term=x&limit=foo');
  assert.deepEqual(
    [wrong.status, wrong.json],
    [400, { message: 'invalid limit specified: strconv.Atoi: parsing "foo": invalid syntax' }],
  );
});
