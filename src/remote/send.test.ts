import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { test } from 'node:test';
import { openSender } from './send.ts';

test('a server may take its time over what it was sent to keep, and over nothing else', async () => {
  await using stack = new AsyncDisposableStack();
  const server = createServer((req, res) => void req.resume().on('end', () => setTimeout(() => res.end('done'), 300)));
  stack.defer(() => void server.close().closeAllConnections());
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const address = server.address();
  assert.ok(typeof address === 'object' && address !== null);
  const sender = stack.use(openSender({ ca: [], verify: true }, { silence: 100, commit: 5000 }));
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
