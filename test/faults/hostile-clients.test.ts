import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { importBusybox } from '../support/both.ts';
import { create, eventually, run } from '../support/containers.ts';
import { startGantry, type TestEngine } from '../support/gantry.ts';

// Clients that are broken or mean: each gets its answer or nothing, and the engine serves the others.

const stack = new AsyncDisposableStack();
let engine: TestEngine;

const descriptors = (): number => readdirSync(`/proc/${engine.pid()}/fd`).length;
const megabytes = (): number =>
  Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${engine.pid()}/status`, 'utf8'))?.[1]) / 1024;

/** A connection that takes nothing in by itself. */
async function open(): Promise<Socket> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const socket = connect(engine.socket, () => resolve()).once('error', reject);
  await promise;
  return socket.off('error', reject).on('error', () => {});
}

/** Sends bytes as they stand, and gives what comes back until the engine ends the connection or `until` is found. */
async function exchange(bytes: string | Buffer, until = /\}\s*$/): Promise<string> {
  const socket = await open();
  const { promise, resolve } = Promise.withResolvers<void>();
  let text = '';
  socket.on('data', (chunk: Buffer) => {
    text += chunk.toString();
    if (until.test(text)) resolve();
  });
  socket.on('close', () => resolve());
  socket.write(bytes);
  await promise;
  socket.destroy();
  return text;
}

const post = (body: string | Buffer, headers: Record<string, string> = {}): Buffer =>
  Buffer.concat([
    Buffer.from(
      [
        'POST /v1.41/containers/create HTTP/1.1',
        'Host: x',
        `Content-Length: ${Buffer.byteLength(body)}`,
        ...Object.entries({ 'Content-Type': 'application/json', ...headers }).map(
          ([name, value]) => `${name}: ${value}`,
        ),
        '',
        '',
      ].join('\r\n'),
    ),
    Buffer.from(body),
  ]);

const alive = async () => assert.equal((await engine.api('GET', '/_ping')).status, 200);
const containers = async () => (await engine.api('GET', '/containers/json?all=1')).json<unknown[]>().length;

describe('hostile clients', () => {
  before(async () => {
    engine = stack.use(await startGantry([], { level: 'error' }));
    await importBusybox(engine);
  });
  after(() => stack.disposeAsync());

  test('two thousand connections that say nothing keep nobody out, and leave nothing', async () => {
    const start = descriptors();
    const sockets: Socket[] = [];
    for (let i = 0; i < 2000; i++) sockets.push(await open());
    await alive();
    for (const socket of sockets) socket.destroy();
    await eventually('their descriptors are closed', () => descriptors() < start + 50);
  });

  test('requests that break off in the middle change nothing', async () => {
    const start = descriptors();
    const whole = post(JSON.stringify({ Image: 'busybox' })).toString();
    for (const length of [3, 40, whole.length - 30, whole.length - 1]) {
      const socket = await open();
      socket.write(whole.slice(0, length));
      socket.end();
    }
    await eventually('their descriptors are closed', () => descriptors() < start + 5);
    assert.equal(await containers(), 0);
  });

  test('headers without end are refused', async () => {
    const flood = `GET /_ping HTTP/1.1\r\nHost: x\r\n${'X-Flood: y\r\n'.repeat(200_000)}\r\n`;
    assert.match(await exchange(flood, /\r\n\r\n/), /^HTTP\/1\.1 4\d\d |^$/);
    assert.match(await exchange(`GET /${'a'.repeat(2 << 20)} HTTP/1.1\r\n\r\n`, /\r\n\r\n/), /^HTTP\/1\.1 4\d\d |^$/);
    await alive();
  });

  test('what is no HTTP is refused', async () => {
    for (const bytes of ['\x16\x03\x01\x02\x00\x01\x00', 'HELO\r\n\r\n', `${'\0'.repeat(100)}\r\n\r\n`]) {
      assert.match(await exchange(bytes, /\r\n\r\n/), /^HTTP\/1\.1 400 |^$/);
    }
    const smuggled =
      'POST /containers/create HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n';
    assert.match(await exchange(smuggled, /\r\n\r\n/), /^HTTP\/1\.1 400 |^$/);
    await alive();
  });

  test('a body of a hundred megabytes is refused before it is taken in', async () => {
    const start = megabytes();
    const answer = await exchange(post(JSON.stringify({ Image: 'busybox', Labels: { a: 'x'.repeat(100 << 20) } })));
    assert.match(answer, /^HTTP\/1\.1 400 [\s\S]*request body too large/);
    assert.ok(megabytes() < start + 100, `${start} MB became ${megabytes()} MB`);
    assert.equal(await containers(), 0);
  });

  test('bodies of the wrong encoding, depth and shape are refused', async () => {
    const bodies: [string | Buffer, RegExp][] = [
      [Buffer.from('{"Image":"busybox"}', 'utf16le'), /invalid JSON/],
      ['\uFEFF{"Image":"busybox"}', /invalid JSON/],
      [`{"Image":"busybox","Labels":${'['.repeat(100_000)}`, /exceeded max depth/],
      ['{"Image":"busybox"}{"Image":"busybox"}', /unexpected content after JSON/],
      ['{"Image":"busybox","HostConfig":{"Memory":NaN}}', /invalid JSON/],
      ['{"Image":"busybox","HostConfig":{"Memory":1.5}}', /cannot unmarshal number 1.5/],
      ['{"Image":"busybox","HostConfig":{"Memory":92233720368547758070}}', /cannot unmarshal number/],
      ['{"Image":"busybox","HostConfig":{"Sysctls":[]}}', /cannot unmarshal array/],
      ['{"Image":"busybox","HostConfig":{"Binds":["/a\\u0000:/b"]}}', /null character/],
      ['{"Image":"busybox","Cmd":["a\\u0000b"]}', /null character/],
    ];
    for (const [body, message] of bodies) {
      const answer = await exchange(post(body));
      assert.match(answer, /^HTTP\/1\.1 400 /, String(body).slice(0, 80));
      assert.match(answer, message);
    }
    assert.equal(await containers(), 0);
  });

  test('of a key that comes twice the last counts, and keys may be of any case', async () => {
    const answer = await exchange(post('{"image":"nosuch","IMAGE":"busybox","cmd":["true"]}'));
    assert.match(answer, /^HTTP\/1\.1 201 /);
    const { Id } = JSON.parse(answer.slice(answer.indexOf('{'))) as { Id: string };
    assert.equal((await engine.api('DELETE', `/containers/${Id}`)).status, 204);
  });

  test('ten thousand variables, a megabyte of label, and paths with newlines work', async () => {
    const Env = Array.from({ length: 10_000 }, (_, i) => `V${i}=${i}`);
    const body = {
      Env,
      Labels: { big: 'x'.repeat(1 << 20), 'line\nbreak': 'é☃\n' },
      WorkingDir: '/line\nbreak',
      Cmd: ['sh', '-c', 'test "$V9999" = 9999 && pwd | tr "\\n" "_"'],
    };
    await using c = await run(engine, '', body);
    assert.equal(await c.wait(), 0);
    const logs = await engine.docker(['logs', c.id]);
    assert.equal(logs.stdout, '/line_break_');
    const { Config } = await c.inspect();
    assert.deepEqual([Config['Labels'], Config['Env']], [body.Labels, Env]);
  });

  test('an argument that the kernel does not take is told, and ends the container', async () => {
    await using c = await create(engine, '', { Cmd: ['echo', 'x'.repeat(200_000)] });
    const started = await engine.api('POST', `${c.path}/start`);
    if (started.status === 204) assert.notEqual(await c.wait(), 0);
    else assert.match(started.text, /argument list too long/i);
    assert.equal((await c.inspect()).State.Running, false);
  });

  test('a reader of events that never reads costs the engine nothing while 20,000 happen', async () => {
    const deaf = await open();
    deaf.pause();
    deaf.write('GET /v1.41/events HTTP/1.1\r\nHost: x\r\n\r\n');
    await using c = await create(engine, 'true');
    const start = megabytes();
    // Every rename is an event; connections are kept, so that the requests themselves cost little.
    const renames = Array.from({ length: 8 }, async (_, worker) => {
      await pipeline(c.path, worker, 2500);
    });
    await Promise.all(renames);
    await alive();
    assert.ok(megabytes() < start + 150, `${start} MB became ${megabytes()} MB`);
    deaf.destroy();
  });
});

/** Sends many requests over one connection, each when the one before is answered. */
async function pipeline(path: string, worker: number, count: number): Promise<void> {
  const socket = await open();
  const answers = socket[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
  for (let i = 0; i < count; i++) {
    socket.write(`POST ${path}/rename?name=r${worker}-${i} HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n`);
    const { value } = await answers.next();
    assert.match(String(value), /^HTTP\/1\.1 204 /);
  }
  socket.destroy();
}
