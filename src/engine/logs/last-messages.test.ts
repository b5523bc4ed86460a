import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LastMessages } from './last-messages.ts';

test('the end waits for what leaves, and not for ever for what does not', { timeout: 20_000 }, async () => {
  const messages = new LastMessages();
  await messages.gone();
  const { promise, resolve } = Promise.withResolvers<void>();
  messages.add(promise);
  let gone = false;
  const waiting = messages.gone().then(() => (gone = true));
  await Promise.resolve();
  assert.equal(gone, false);
  resolve();
  await waiting;
  messages.add(new Promise(() => {}));
  await messages.gone();
});
