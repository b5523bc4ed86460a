import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Readable } from 'node:stream';
import { test } from 'node:test';
import { replyWriter } from './reply.ts';

/** Sends a body to one client; gives what the client got, and how the sending ended. */
async function sent(body: Readable): Promise<{ text: string; error: unknown }> {
  const ended = Promise.withResolvers<unknown>();
  const server = createServer((_, res) => {
    const gone = new AbortController();
    res.once('close', () => gone.abort());
    replyWriter(res)
      .pipe('text/plain', body, gone.signal)
      .then(() => ended.resolve(undefined), ended.resolve);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const text = await fetch(`http://127.0.0.1:${port}`).then(
    (answer) => answer.text().catch(() => ''),
    () => '',
  );
  const error = await ended.promise;
  server.close();
  server.closeAllConnections();
  return { text, error };
}

test('a source that takes its time to close after all was sent is no failure', async () => {
  const pieces = ['one', 'two'];
  const slow = new Readable({
    read() {
      this.push(pieces.shift() ?? null);
    },
    destroy: (error, done) => void setTimeout(done, 50, error),
  });
  assert.deepEqual(await sent(slow), { text: 'onetwo', error: undefined });
});

test('a source that breaks in the middle is one', async () => {
  const broken = Readable.from(
    (async function* () {
      yield 'one';
      throw new Error('broken');
    })(),
  );
  assert.match(String((await sent(broken)).error), /broken/);
});
