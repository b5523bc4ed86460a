import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Credentials } from '../spec/auth-config.ts';
import { digestOf } from '../util/digest.ts';
import { readLimited } from './read-limited.ts';
import { refuse, startTestRegistry, type TestRegistry } from './registry-fixture.ts';
import { localRemote } from './remote-fixture.ts';

const ANN = { username: 'ann', password: 'secret', identityToken: '', registryToken: '' };
const { signal } = new AbortController();
const bytes = Buffer.from('the bytes of a blob');
const blob = {
  digest: digestOf(bytes),
  size: bytes.length,
  open: async function* () {
    yield bytes;
  },
};

async function upload({ host }: TestRegistry, credentials?: Credentials): Promise<boolean> {
  using repositories = await localRemote().open(`${host}/app`, credentials);
  return await (await repositories.forPush(signal)).upload(blob, undefined, signal);
}

describe('an upload', () => {
  test('that breaks off begins anew, at an address of its own', async () => {
    await using registry = await startTestRegistry();
    let begun = 0;
    const received: string[] = [];
    registry.before = async (req, res) => {
      const { method, url = '' } = req;
      if (method === 'POST') res.writeHead(202, { location: `/v2/app/blobs/uploads/${++begun}?state=s` }).end();
      else if (method === 'PUT' && begun === 1) req.once('data', () => req.destroy());
      else if (method === 'PUT') {
        received.push(url, (await readLimited(req, 1 << 10)).toString());
        res.writeHead(201).end();
      } else return false;
      return true;
    };
    assert.equal(await upload(registry), false);
    assert.deepEqual(received, [
      `/v2/app/blobs/uploads/2?state=s&digest=${encodeURIComponent(blob.digest)}`,
      bytes.toString(),
    ]);
  });

  test('to another host tells that host no credentials', async () => {
    await using registry = await startTestRegistry();
    await using other = await startTestRegistry();
    registry.before = ({ method, headers }, res) => {
      if (headers.authorization === undefined)
        refuse(res, 401, 'UNAUTHORIZED', 'who are you?', { 'www-authenticate': 'Basic realm="r"' });
      else if (method === 'POST') res.writeHead(202, { location: `http://${other.host}/up` }).end();
      else return false;
      return true;
    };
    other.before = (_, res) => {
      res.writeHead(201).end();
      return true;
    };
    assert.equal(await upload(registry, ANN), false);
    assert.deepEqual(
      other.headers.map(({ authorization }) => authorization),
      [undefined],
    );
  });

  test('needs to be told where to', async () => {
    await using registry = await startTestRegistry();
    registry.before = ({ method }, res) => {
      if (method === 'POST') res.writeHead(202, { location: 'http://[' }).end();
      return method === 'POST';
    };
    await assert.rejects(upload(registry), { name: 'RegistryError', message: /does not say where to upload/ });
  });
});
