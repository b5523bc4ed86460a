import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { describe, test } from 'node:test';
import { digestOf } from '../util/digest.ts';
import { blobStream } from './blob-stream.ts';
import { Connection } from './connection.ts';
import { startTestRegistry, type TestRegistry } from './registry-fixture.ts';
import { Repository } from './repository.ts';

const { signal } = new AbortController();
const bytes = randomBytes(300_000);
const blob = { digest: digestOf(bytes), size: bytes.length };

function repository({ host }: TestRegistry): Repository & Disposable {
  const endpoint = {
    base: `http://${host}/v2`,
    tls: { ca: [], verify: false },
    headers: {},
    namespace: undefined,
    own: true,
  };
  const connection = new Connection({ ...endpoint, capabilities: new Set(['pull']) }, undefined, {
    attempts: 3,
    pause: 1,
  });
  return Object.assign(new Repository(connection, 'a'), { [Symbol.dispose]: () => connection[Symbol.dispose]() });
}

async function read(repositories: Repository[], offset = 0): Promise<Buffer> {
  return Buffer.concat(await Array.fromAsync(blobStream(repositories, blob, offset, signal)));
}

const ranges = ({ headers }: TestRegistry): (string | undefined)[] => headers.map(({ range }) => range);

describe('the bytes of a blob', () => {
  test('a connection that breaks is taken up where it broke, again and again', async () => {
    await using registry = await startTestRegistry();
    registry.blobs.set(blob.digest, bytes);
    registry.before = ({ headers }, res) => {
      const start = Number(/bytes=(\d+)-/.exec(headers.range ?? '')?.[1] ?? 0);
      const end = Math.min(start + 50_000, bytes.length);
      if (end === bytes.length) return false;
      const range = { 'content-range': `bytes ${start}-${bytes.length - 1}/${bytes.length}` };
      res.writeHead(start === 0 ? 200 : 206, { 'content-length': bytes.length - start, ...range });
      res.write(bytes.subarray(start, end), () => res.destroy());
      return true;
    };
    using from = repository(registry);
    assert.deepEqual(await read([from]), bytes);
    assert.ok(registry.requests.length >= 6, `${registry.requests.length} requests`);
  });

  test('what is here already is not asked for', async () => {
    await using registry = await startTestRegistry();
    registry.blobs.set(blob.digest, bytes);
    using from = repository(registry);
    assert.deepEqual(await read([from], 1000), bytes.subarray(1000));
    assert.deepEqual(await read([from], bytes.length), Buffer.alloc(0));
    assert.deepEqual(ranges(registry), ['bytes=1000-']);
  });

  test('a server that knows no ranges begins at its start', async () => {
    await using registry = await startTestRegistry();
    registry.before = (_, res) => {
      res.writeHead(200).end(bytes);
      return true;
    };
    using from = repository(registry);
    assert.deepEqual(await read([from], 123_456), bytes.subarray(123_456));
  });

  test('an end that comes too soon, and never more, is an error', async () => {
    await using registry = await startTestRegistry();
    registry.before = (_, res) => {
      res.writeHead(200).end(bytes.subarray(0, 1000));
      return true;
    };
    using from = repository(registry);
    await assert.rejects(read([from]), /unexpected EOF/);
  });

  test('a server that refuses is not asked more often than any other request', async () => {
    await using registry = await startTestRegistry();
    registry.before = (_, res) => {
      res.writeHead(503).end();
      return true;
    };
    using from = repository(registry);
    await assert.rejects(read([from]), /503/);
    assert.equal(registry.requests.length, 3);
  });

  test('the next server is asked for what the first does not have', async () => {
    await using first = await startTestRegistry();
    await using second = await startTestRegistry();
    second.blobs.set(blob.digest, bytes);
    using a = repository(first);
    using b = repository(second);
    assert.deepEqual(await read([a, b]), bytes);
    assert.equal(first.requests.length, 1);
  });
});
