import assert from 'node:assert/strict';
import { Writable } from 'node:stream';
import { test } from 'node:test';
import { drained } from './drained.ts';

/** A stream whose reader takes a chunk only when it is told to. */
function lagging() {
  const takes: (() => void)[] = [];
  const to = new Writable({ highWaterMark: 4, write: (_chunk, _encoding, taken) => void takes.push(taken) });
  return { to, take: () => takes.shift()?.() };
}

const listeners = (to: Writable) => ['drain', 'close', 'error'].map((event) => to.listenerCount(event));

test('waiting for a slow reader many times adds up no listeners', async () => {
  const { to, take } = lagging();
  const before = listeners(to);
  for (let round = 0; round < 20; round++) {
    assert.equal(to.write('12345'), false);
    const waited = drained(to);
    take();
    await waited;
  }
  assert.deepEqual(listeners(to), before);
});

test('a reader that goes away ends the wait', async () => {
  const { to } = lagging();
  to.write('12345');
  const waited = drained(to);
  to.destroy();
  await waited;
  await drained(to);
});
