import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { test } from 'node:test';
import { openSender } from './send.ts';

test('a server may take its time over what it was sent to keep, and over nothing else', async () => {
  await using stack = new AsyncDisposableStack();
  const server = createServer((req, res) => void req.resume().on('end', () => setTimeout(() => res.end('done'), 300)));
  stack.defer(() => server.close().closeAllConnections());
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const address = server.address();
  assert.ok(typeof address === 'object' && address !== null);
  const sender = stack.use(openSender({ ca: [], verify: true }, { patience: { silence: 100, commit: 5000 } }));
  const send = (method: string) => {
    const url = new URL(`http://127.0.0.1:${address.port}/blob`);
    const headers = { 'content-length': '1' };
    return sender.send({ method, url, headers, body: Buffer.from('x'), signal: AbortSignal.timeout(10_000) });
  };
  const answer = await send('PUT');
  assert.equal((await answer.setEncoding('utf8').toArray()).join(''), 'done');
  await assert.rejects(send('POST'), { message: /timeout awaiting response headers/ });
  // Over a connection that was kept, too.
  (await send('PUT')).resume();
});

test('a proxy of the environment is asked, with its credentials, but for what it is not for', async () => {
  await using stack = new AsyncDisposableStack();
  const asked: string[] = [];
  const proxy = createServer((req, res) => {
    asked.push(`${req.url} ${req.headers['proxy-authorization']}`);
    res.end();
  });
  // Whoever wants a tunnel is told where to, and no more.
  proxy.on('connect', (req, socket) => {
    asked.push(`tunnel ${req.url} ${req.headers['proxy-authorization']}`);
    socket.end('HTTP/1.1 403 Forbidden\r\n\r\n');
  });
  stack.defer(() => proxy.close().closeAllConnections());
  await once(proxy.listen(0, '127.0.0.1'), 'listening');
  const address = proxy.address();
  assert.ok(typeof address === 'object' && address !== null);
  const where = `http://me:secret@127.0.0.1:${address.port}`;
  const env = { HTTP_PROXY: where, HTTPS_PROXY: where, NO_PROXY: '192.0.2.0/24' };
  const sender = stack.use(openSender({ ca: [], verify: true }, { env }));
  const get = (url: string, ms = 10_000) =>
    sender.send({ method: 'GET', url: new URL(url), headers: {}, signal: AbortSignal.timeout(ms) });
  (await get('http://registry.invalid/v2/')).resume();
  await assert.rejects(get('https://registry.invalid/v2/'), (error: Error) => !error.message.includes('secret'));
  // An address that nobody has: it is not asked for at the proxy.
  await assert.rejects(get('http://192.0.2.1/v2/', 300));
  (await get(`http://127.0.0.1:${address.port}/own`)).resume();
  const credentials = `Basic ${Buffer.from('me:secret').toString('base64')}`;
  assert.deepEqual(asked, [
    `http://registry.invalid/v2/ ${credentials}`,
    `tunnel registry.invalid:443 ${credentials}`,
    '/own undefined',
  ]);
});
