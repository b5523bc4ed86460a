import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before } from 'node:test';
import { archiveOf } from '../../src/util/tar/tar-fixture.ts';
import { onBoth, type Scenario } from '../support/both.ts';
import { PROGRAM } from '../support/gantry.ts';
import { command, type Target } from '../support/target.ts';

// What both engines fetch by themselves: results of a search, and archives to import.

const ARCHIVE = archiveOf([{ name: 'a', data: Buffer.alloc(200_000, 'x') }]);
const RESULTS = [
  { name: 'b/x', description: 'two', star_count: 2, is_official: false, is_automated: true },
  { name: 'x', description: 'one', star_count: 10, is_official: true, is_automated: false },
  { name: 'c/x', description: 'a long one '.repeat(10), star_count: 0, is_official: false, is_automated: false },
];

const asked: IncomingMessage[] = [];
const server = createServer((req, res) => {
  asked.push(req);
  const { pathname, searchParams } = new URL(req.url ?? '', 'http://here');
  const words = searchParams.get('q');
  if (pathname === '/v1/_ping') res.end('true');
  else if (pathname === '/v1/search' && words === 'fail') res.writeHead(500).end('oops');
  else if (pathname === '/v1/search') res.end(JSON.stringify({ num_results: 3, query: words, results: RESULTS }));
  else if (pathname === '/x.tar') res.writeHead(200, { 'content-length': ARCHIVE.length }).end(ARCHIVE);
  else if (pathname === '/moved') res.writeHead(302, { location: '/x.tar' }).end();
  else if (pathname === '/short')
    res.writeHead(200, { 'content-length': ARCHIVE.length }).write(ARCHIVE.subarray(0, 700), () => res.destroy());
  else res.writeHead(pathname === '/secret' ? 403 : 404).end('nothing here');
});
let host = '';

before(async () => {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
});
after(() => {
  server.closeAllConnections();
  server.close();
});

async function search(target: Target, query: string): Promise<unknown> {
  const answer = await target.api('GET', `/v1.41/images/search?term=${host}/${query}`);
  return answer.status === 200
    ? answer.json<{ name: string }[]>().map(({ name }) => name)
    : [answer.status, answer.json<{ message: string }>().message.toLowerCase()];
}

const filters = (value: object): string => `&filters=${encodeURIComponent(JSON.stringify(value))}`;

/** The lines of an import, without how far it was in between. */
async function importFrom(target: Target, query: string): Promise<unknown[]> {
  const { status, text } = await target.api('POST', `/v1.41/images/create?${query}`);
  const lines = text
    .split(/\r?\n/)
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as { status?: string; message?: string; error?: string });
  const told = lines
    .map((line) => line.status ?? line.message ?? line.error ?? '')
    .filter((line) => line !== 'Importing');
  return [status, ...told.map((line) => line.replaceAll(host, 'HOST').replace(/^sha256:[0-9a-f]{64}$/, 'ID'))];
}

const inspect = async (target: Target, name: string, format: string): Promise<string> =>
  (await target.docker(['inspect', '-f', format, name])).stdout.trim();

const scenarios: Record<string, Scenario> = {
  'a search asks the registry of the term': async (target) => {
    asked.length = 0;
    const auth = Buffer.from(JSON.stringify({ username: 'ann', password: 'secret' })).toString('base64');
    const headers = ['-H', `X-Registry-Auth: ${auth.replaceAll('+', '-').replaceAll('/', '_')}`];
    const url = `http://d/v1.41/images/search?term=${host}/a%20b%26c&limit=5`;
    const { stdout } = await command('curl', ['-s', '--unix-socket', target.socket, ...headers, url]);
    assert.deepEqual(JSON.parse(stdout), RESULTS);
    assert.deepEqual(
      asked.map(({ method, url: path, headers: sent }) => [method, path, sent['x-docker-token'], sent.authorization]),
      [
        ['GET', '/v1/_ping', undefined, asked[0]?.headers.authorization],
        ['GET', '/v1/search?q=a+b%26c&n=5', 'true', 'Basic YW5uOnNlY3JldA=='],
      ],
    );
  },

  'a search is filtered': async (target) => {
    assert.deepEqual(await search(target, 'x'), ['b/x', 'x', 'c/x']);
    assert.deepEqual(await search(target, `x${filters({ 'is-official': ['true'] })}`), ['x']);
    assert.deepEqual(await search(target, `x${filters({ 'is-automated': ['false'] })}`), ['x', 'c/x']);
    assert.deepEqual(await search(target, `x${filters({ stars: ['2'] })}`), ['b/x', 'x']);
    assert.deepEqual(await search(target, `x${filters({ stars: ['2', '5'] })}`), ['x']);
  },

  'a search that cannot be': async (target) => {
    assert.deepEqual(await search(target, `x${filters({ stars: ['a'] })}`), [400, "invalid filter 'stars=a'"]);
    assert.deepEqual(await search(target, `x${filters({ 'is-official': ['maybe'] })}`), [
      400,
      "invalid filter 'is-official=[maybe]'",
    ]);
    assert.deepEqual(await search(target, `x${filters({ foo: ['1'] })}`), [400, "invalid filter 'foo'"]);
    assert.deepEqual(await search(target, 'x&limit=0'), [400, 'limit 0 is outside the range of [1, 100]']);
    assert.deepEqual(await search(target, 'x&limit=101'), [400, 'limit 101 is outside the range of [1, 100]']);
    assert.deepEqual(await search(target, 'fail'), [500, 'unexpected status code 500']);
  },

  'the command lines show a search alike': async (target) => {
    for (const args of [
      [`${host}/x`],
      ['--no-trunc', '--limit', '2', '-f', 'stars=1', `${host}/x`],
      ['--format', 'json', `${host}/x`],
      ['--format', '{{.Name}} {{.IsOfficial}} {{.StarCount}}', `${host}/x`],
      ['--format', 'table {{.Name}}\t{{.IsOfficial}}', `${host}/x`],
    ]) {
      const theirs = await target.docker(['search', ...args]);
      const ours = await command(process.execPath, [PROGRAM, '-H', `unix://${target.socket}`, 'search', ...args]);
      assert.deepEqual([ours.code, ours.stdout], [theirs.code, theirs.stdout], args.join(' '));
    }
  },

  'an archive is imported from an address': async (target) => {
    const from = `fromSrc=http://${host}`;
    assert.deepEqual(await importFrom(target, `${from}/x.tar&repo=u&tag=1&message=hi`), [
      200,
      'Downloading from http://HOST/x.tar',
      'ID',
    ]);
    assert.deepEqual(await importFrom(target, `fromSrc=${host}/x.tar&repo=u&tag=2&changes=CMD%20a`), [
      200,
      'Downloading from http://HOST/x.tar',
      'ID',
    ]);
    assert.deepEqual(await importFrom(target, `${from}/moved&repo=u&tag=3`), [
      200,
      'Downloading from http://HOST/moved',
      'ID',
    ]);
    assert.equal(await inspect(target, 'u:1', '{{.Comment}} {{.Size}}'), 'hi 200000');
    assert.equal(
      await inspect(target, 'u:2', '{{.Comment}} {{json .Config.Cmd}}'),
      `Imported from http://${host}/x.tar ["/bin/sh","-c","a"]`,
    );
    assert.equal(await inspect(target, 'u:3', '{{.Comment}}'), `Imported from http://${host}/moved`);
  },

  'an archive that cannot be had is told in the same words': async (target) => {
    const from = `fromSrc=http://${host}`;
    assert.deepEqual(await importFrom(target, `${from}/none`), [
      404,
      'failed to GET http://HOST/none with status 404 Not Found: nothing here',
    ]);
    assert.deepEqual(await importFrom(target, `${from}/secret`), [
      403,
      'failed to GET http://HOST/secret with status 403 Forbidden: nothing here',
    ]);
    assert.deepEqual(await importFrom(target, 'fromSrc=http://127.0.0.1:1/x'), [
      500,
      'Get "http://127.0.0.1:1/x": dial tcp 127.0.0.1:1: connect: connection refused',
    ]);
    assert.deepEqual(await importFrom(target, `fromSrc=ftp://${host}/x`), [
      500,
      'Get "ftp://HOST/x": unsupported protocol scheme "ftp"',
    ]);
    assert.deepEqual(await importFrom(target, `${from}/x.tar&changes=FOO%20x`), [
      400,
      'foo is not a valid change command',
    ]);
    const [status, first, ...rest] = await importFrom(target, `${from}/short`);
    assert.deepEqual([status, first], [200, 'Downloading from http://HOST/short']);
    assert.match(String(rest.at(-1)), /unexpected EOF$/);
  },
};

onBoth('what an engine fetches by itself', scenarios);
