import assert from 'node:assert/strict';
import type { IncomingMessage } from 'node:http';
import { describe, test } from 'node:test';
import { Connection } from './connection.ts';
import type { Endpoint } from './endpoint.ts';
import { readLimited } from './read-limited.ts';
import { refuse, startTestRegistry, type TestRegistry } from './registry-fixture.ts';

const ANN = { username: 'ann', password: 'secret', identityToken: '', registryToken: '' };
const BASIC = `Basic ${Buffer.from('ann:secret').toString('base64')}`;
const { signal } = new AbortController();

function endpoint(host: string, own = true): Endpoint {
  const tls = { ca: [], verify: false };
  return {
    base: `http://${host}/v2`,
    tls,
    headers: {},
    capabilities: new Set(['pull', 'resolve', 'push']),
    namespace: undefined,
    own,
  };
}

const connect = ({ host }: TestRegistry, credentials = ANN, own = true): Connection =>
  new Connection(endpoint(host, own), credentials, { attempts: 3, pause: 1 });

async function get(connection: Connection, path: string, scopes: string[] = []): Promise<string> {
  const answer = await connection.request({ method: 'GET', path, scopes, signal, accept: [200] });
  return (await readLimited(answer, 1 << 20)).toString();
}

const authorization = ({ headers }: TestRegistry): (string | undefined)[] => headers.map((one) => one.authorization);

describe('a connection to a registry', () => {
  test('tells name and password when it is asked for them, and from then on at once', async () => {
    await using registry = await startTestRegistry();
    using connection = connect(registry);
    registry.before = ({ headers }, res) => {
      if (headers.authorization === BASIC) return false;
      refuse(res, 401, 'UNAUTHORIZED', 'authentication required', { 'www-authenticate': 'Basic realm="r"' });
      return true;
    };
    for (let i = 0; i < 2; i++) await get(connection, '/');
    assert.deepEqual(authorization(registry), [undefined, BASIC, BASIC]);
  });

  test('fetches a token for what it wants, once', async () => {
    await using tokens = await startTestRegistry();
    await using registry = await startTestRegistry();
    tokens.before = (_, res) => {
      res.end(JSON.stringify({ token: 'good', expires_in: 300 }));
      return true;
    };
    registry.before = ({ headers }, res) => {
      if (headers.authorization === 'Bearer good') return false;
      const challenge = `Bearer realm="http://${tokens.host}/token",service="test"`;
      refuse(res, 401, 'UNAUTHORIZED', 'authentication required', { 'www-authenticate': challenge });
      return true;
    };
    using connection = connect(registry);
    for (let i = 0; i < 2; i++) await get(connection, '/', ['repository:a/b:pull']);
    assert.deepEqual(tokens.requests, ['GET /token?service=test&scope=repository%3Aa%2Fb%3Apull&account=ann']);
    assert.deepEqual(authorization(tokens), [BASIC]);
    assert.deepEqual(authorization(registry), [undefined, 'Bearer good', 'Bearer good']);
  });

  test('a token server that makes no sense is told as one', async () => {
    await using registry = await startTestRegistry();
    registry.before = ({ url = '' }, res) => {
      const challenge = `Bearer realm="http://${registry.host}/token"`;
      if (url.startsWith('/token')) res.end('<html>');
      else refuse(res, 401, 'UNAUTHORIZED', 'authentication required', { 'www-authenticate': challenge });
      return true;
    };
    using connection = connect(registry);
    await assert.rejects(get(connection, '/'), {
      name: 'RegistryError',
      message: 'authorization server did not include a token in the response',
    });
  });

  test('exchanges an identity token', async () => {
    await using registry = await startTestRegistry();
    const forms: string[] = [];
    registry.before = async (req, res) => {
      if (req.headers.authorization === 'Bearer fresh') return false;
      if (req.method === 'POST') {
        forms.push((await readLimited(req, 1 << 10)).toString());
        res.end(JSON.stringify({ access_token: 'fresh' }));
      } else {
        const challenge = `Bearer realm="http://${registry.host}/token",service="test"`;
        refuse(res, 401, 'UNAUTHORIZED', 'authentication required', { 'www-authenticate': challenge });
      }
      return true;
    };
    using connection = connect(registry, { ...ANN, password: '', identityToken: 'long' });
    await get(connection, '/', ['repository:a:pull']);
    assert.deepEqual(forms, [
      'grant_type=refresh_token&service=test&client_id=gantry&scope=repository%3Aa%3Apull&refresh_token=long',
    ]);
  });

  test('sends credentials nowhere else: not to a mirror, not behind a redirect', async () => {
    await using other = await startTestRegistry();
    await using registry = await startTestRegistry();
    other.before = (_, res) => {
      res.end('there');
      return true;
    };
    registry.before = ({ headers, url }, res) => {
      if (headers.authorization !== BASIC)
        refuse(res, 401, 'UNAUTHORIZED', 'no', { 'www-authenticate': 'Basic realm="r"' });
      else if (url === '/v2/away') res.writeHead(307, { location: `http://${other.host}/there` }).end();
      else return false;
      return true;
    };
    using connection = connect(registry);
    assert.equal(await get(connection, '/away'), 'there');
    assert.deepEqual(authorization(other), [undefined]);

    using mirror = connect(registry, ANN, false);
    await assert.rejects(get(mirror, '/'), /no basic auth credentials/);
    assert.deepEqual(authorization(registry).slice(-1), [undefined]);
  });

  test('does not let whoever is behind a redirect ask for credentials', async () => {
    await using other = await startTestRegistry();
    await using registry = await startTestRegistry();
    other.before = ({ headers }, res) => {
      if (headers.authorization !== undefined) res.end(JSON.stringify({ token: 'x' }));
      else {
        const challenges = [`Bearer realm="http://${other.host}/token"`, 'Basic realm="r"'].join(', ');
        refuse(res, 401, 'UNAUTHORIZED', 'who are you?', { 'www-authenticate': challenges });
      }
      return true;
    };
    registry.before = (_, res) => {
      res.writeHead(307, { location: `http://${other.host}/there` }).end();
      return true;
    };
    using connection = connect(registry);
    await assert.rejects(get(connection, '/away'), { name: 'RegistryError', status: 401 });
    assert.deepEqual(authorization(other), [undefined]);
    assert.deepEqual(authorization(registry), [undefined]);
  });

  test('asks again for a document that broke off', async () => {
    await using registry = await startTestRegistry();
    using connection = connect(registry);
    const request = { method: 'GET', path: '/x', scopes: [], signal, accept: [200] } as const;
    let breaks = 1;
    registry.before = (_, res) => {
      res.writeHead(200, { 'content-length': 10 });
      if (breaks-- > 0) res.write('01234', () => res.destroy());
      else res.end('0123456789');
      return true;
    };
    assert.equal((await connection.document(request, 10)).bytes.toString(), '0123456789');
    breaks = 3;
    await assert.rejects(connection.document(request, 10), {
      name: 'Unreachable',
      message: `reading "http://${registry.host}/v2/x": unexpected EOF`,
    });
    breaks = 0;
    registry.requests.length = 0;
    await assert.rejects(connection.document(request, 9), { kind: 'invalid' });
    assert.equal(registry.requests.length, 1);
  });

  test('does not follow redirects for ever', async () => {
    await using registry = await startTestRegistry();
    registry.before = ({ url }, res) => {
      res.writeHead(302, { location: `${url}x` }).end();
      return true;
    };
    using connection = connect(registry);
    await assert.rejects(get(connection, '/round'), /stopped after 10 redirects/);
    assert.equal(registry.requests.length, 11);
  });

  test('tries again what may pass, and waits as long as it is told to', async () => {
    await using registry = await startTestRegistry();
    const statuses = [503, 429];
    registry.before = (_: IncomingMessage, res) => {
      const status = statuses.shift();
      if (status === undefined) return false;
      refuse(res, status, 'TOOMANYREQUESTS', 'slow down', { 'retry-after': status === 429 ? '1' : '0' });
      return true;
    };
    using connection = connect(registry);
    const begun = performance.now();
    await get(connection, '/');
    assert.ok(performance.now() - begun > 990, 'it did not wait');
    assert.equal(registry.requests.length, 3);
  });

  test('gives up in the registry’s words', async () => {
    await using registry = await startTestRegistry();
    registry.before = (_, res) => {
      refuse(res, 500, 'UNKNOWN', 'on fire');
      return true;
    };
    using connection = connect(registry);
    await assert.rejects(get(connection, '/'), { name: 'RegistryError', message: 'unknown: on fire', status: 500 });
    assert.equal(registry.requests.length, 3);
    registry.before = (_, res) => {
      res.writeHead(404, { 'content-type': 'text/html' }).end('<html>');
      return true;
    };
    await assert.rejects(get(connection, '/'), { message: 'received unexpected HTTP status: 404 Not Found' });
  });

  test('says in Docker’s words that nobody is there', async () => {
    const registry = await startTestRegistry();
    using connection = connect(registry);
    await registry[Symbol.asyncDispose]();
    const message = `Get "http://${registry.host}/v2/": dial tcp ${registry.host}: connect: connection refused`;
    await assert.rejects(get(connection, '/'), { name: 'Unreachable', message });
    using secure = new Connection({ ...endpoint(registry.host), base: 'https://localhost:1/v2' }, undefined, {
      attempts: 1,
      pause: 1,
    });
    await assert.rejects(get(secure, '/'), /dial tcp .*:1: connect: connection refused/);
  });
});
