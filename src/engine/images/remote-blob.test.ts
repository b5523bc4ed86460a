import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { startTestRegistry } from '../../remote/registry-fixture.ts';
import { openRemote } from '../../remote/remote.ts';
import { openTemp, tempDir } from '../../store/store-fixture.ts';
import { digestOf } from '../../util/digest.ts';
import { remoteBlob } from './remote-blob.ts';

test('what a mirror has wrong comes from the registry itself, none of it from the mirror', async () => {
  await using mirror = await startTestRegistry();
  await using registry = await startTestRegistry();
  const bytes = randomBytes(300_000);
  const digest = digestOf(bytes);
  registry.blobs.set(digest, bytes);
  mirror.blobs.set(digest, randomBytes(bytes.length));
  const certs = tempDir();
  mkdirSync(join(certs, 'registry.test'));
  writeFileSync(
    join(certs, 'registry.test/hosts.toml'),
    `server = "http://${registry.host}"\n[host."http://${mirror.host}"]\n`,
  );
  const remote = openRemote(() => ({ mirrors: [], insecure: [], certsDirs: [certs] }), { attempts: 1, pause: 1 });
  using repositories = await remote.open('registry.test/app', undefined);
  await using store = await openTemp();
  await using lease = store.lease();
  const wanted = { digest, size: bytes.length, mediaType: 'x', annotations: {}, platform: null };
  await lease.fetch(remoteBlob(repositories, wanted), new AbortController().signal, () => {});
  assert.deepEqual(await store.content.readAll(digest, bytes.length), bytes);
  assert.equal(mirror.requests.length, 1);
  assert.deepEqual(
    registry.headers.map(({ range }) => range),
    [undefined],
  );
});
