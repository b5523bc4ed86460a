import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { request } from 'node:http';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { test } from 'node:test';
import { dockerArchive, imageOf, ociArchive, openImagesFixture, tarOf } from './images-fixture.ts';

// The same archives through a real dockerd: name it in DOCKER_TEST_HOST, e.g. unix:///var/run/docker.sock.
const socketPath = (process.env['DOCKER_TEST_HOST'] ?? '').replace(/^unix:\/\//, '');
const skip =
  process.getuid?.() === 0 && existsSync(socketPath) ? false : `needs root and a dockerd named by DOCKER_TEST_HOST`;

function call(method: string, path: string, body?: Buffer): Promise<Buffer> {
  const { promise, resolve, reject } = Promise.withResolvers<Buffer>();
  const headers = { 'content-type': 'application/x-tar', 'content-length': body?.length ?? 0 };
  const sent = request(
    { socketPath, method, path, headers },
    (response) => void buffer(response).then(resolve, reject),
  );
  sent.on('error', reject);
  sent.end(body);
  return promise;
}

const unique = (): string => `gantry-test-${randomBytes(4).toString('hex')}`;
const { signal } = new AbortController();

/** What dockerd prints for a load, with its id and names. */
async function loadThere(archive: Buffer): Promise<string[]> {
  const text = (await call('POST', '/images/load?quiet=1', archive)).toString();
  return text
    .trim()
    .split(/\r?\n/)
    .map((line) => String(JSON.parse(line).stream ?? line));
}

test('dockerd loads what was saved here, and the same lines come back', { skip }, async () => {
  await using fixture = await openImagesFixture();
  const [plain, gzipped, salt] = [unique(), unique(), unique()];
  const image = imageOf([{ a: salt }, { b: 'two' }]);
  const here = await fixture.load(tarOf(dockerArchive([{ image, tags: [`${plain}:1`] }])));
  await fixture.load(tarOf(ociArchive(imageOf([{ c: salt }]), `${gzipped}:1`)));
  const archive = await buffer(await fixture.images.save({ refs: [`${plain}:1`, `${gzipped}:1`], signal }));
  try {
    const there = await loadThere(archive);
    assert.deepEqual(there, [`Loaded image: ${plain}:1\n`, `Loaded image: ${gzipped}:1\n`]);
    assert.equal(here[0]?.stream, there[0]);
    const inspected = JSON.parse((await call('GET', `/images/${plain}:1/json`)).toString());
    assert.equal(inspected.Id, image.id);
    assert.deepEqual(inspected.RootFS.Layers, fixture.images.get(image.id).config.rootfs.diff_ids);
    assert.equal(inspected.Size, fixture.images.get(image.id).size);
  } finally {
    for (const name of [plain, gzipped]) await call('DELETE', `/images/${name}:1`);
  }
});

test('what dockerd saved loads here: same id, same history', { skip }, async () => {
  await using fixture = await openImagesFixture();
  const [name, salt] = [unique(), unique()];
  await call('POST', `/images/create?fromSrc=-&repo=${name}&tag=1&changes=CMD%20sh`, tarOf({ a: salt }));
  try {
    const archive = await call('GET', `/images/${name}:1/get`);
    assert.deepEqual(await fixture.load(archive), [{ stream: `Loaded image: ${name}:1\n` }]);
    const there = JSON.parse((await call('GET', `/images/${name}:1/json`)).toString());
    const image = fixture.images.get(name.concat(':1'));
    assert.equal(image.id, there.Id);
    assert.equal(image.size, there.Size);
    assert.deepEqual(image.config.config.Cmd, there.Config.Cmd);
    const steps = JSON.parse((await call('GET', `/images/${name}:1/history`)).toString());
    assert.deepEqual(
      fixture.images
        .history(`${name}:1`)
        .map(({ id, createdBy, size, comment, tags }) => ({ id, createdBy, size, comment, tags })),
      steps.map((step: Record<string, unknown>) => ({
        id: step['Id'],
        createdBy: step['CreatedBy'],
        size: step['Size'],
        comment: step['Comment'],
        tags: step['Tags'],
      })),
    );
  } finally {
    await call('DELETE', `/images/${name}:1`);
  }
});

test('an imported config reads the same in both', { skip }, async () => {
  await using fixture = await openImagesFixture();
  const [name, salt] = [unique(), unique()];
  const changes = ['CMD ["sh"]', 'ENV a=b c="d e"', 'EXPOSE 80 90-91/udp', 'LABEL x=y', 'ONBUILD RUN x', 'USER a:b'];
  const more = ['VOLUME /a /b', 'WORKDIR /x', 'WORKDIR y', 'HEALTHCHECK --interval=5s CMD ls -l', 'ENTRYPOINT echo hi'];
  const query = [...changes, ...more].map((change) => `&changes=${encodeURIComponent(change)}`).join('');
  await call('POST', `/images/create?fromSrc=-&repo=${name}&tag=1${query}`, tarOf({ a: salt }));
  try {
    const ask = { repo: name, tag: '2', message: '', changes: [...changes, ...more], signal };
    await Array.fromAsync(fixture.images.import(Readable.from([tarOf({ a: salt })]), ask));
    const mine = await buffer(await fixture.images.save({ refs: [`${name}:2`], signal }));
    await loadThere(mine);
    const [there, ours] = await Promise.all(
      ['1', '2'].map(async (tag) => JSON.parse((await call('GET', `/images/${name}:${tag}/json`)).toString())),
    );
    assert.deepEqual(ours.Config, there.Config);
    assert.deepEqual(ours.RootFS, there.RootFS);
    assert.deepEqual([ours.Comment, ours.Os, ours.Architecture], [there.Comment, there.Os, there.Architecture]);
  } finally {
    for (const tag of ['1', '2']) await call('DELETE', `/images/${name}:${tag}`);
  }
});
