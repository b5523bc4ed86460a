import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { nowNano } from '../../util/time.ts';
import type { EngineEvent, Filters } from '../engine.ts';
import { openEvents } from './events.ts';

const none: Filters = new Map();

function event(action: string, id = 'c1'): Omit<EngineEvent, 'timeNano'> {
  return { type: 'container', action, actor: { id, attributes: { name: `name-${id}` } } };
}

async function actions(events: AsyncIterable<EngineEvent>): Promise<string[]> {
  const seen: string[] = [];
  for await (const { action } of events) seen.push(action);
  return seen;
}

test('a reader gets what happens from its call on, and ends with its signal', async () => {
  const bus = openEvents();
  const stop = new AbortController();
  bus.emit(event('before'));
  const reading = actions(bus.subscribe({ filters: none, signal: stop.signal }));
  assert.equal(bus.listeners, 1);
  bus.emit(event('create'));
  bus.emit(event('start'));
  await turn();
  stop.abort();
  assert.deepEqual(await reading, ['create', 'start']);
  assert.equal(bus.listeners, 0);
});

test('a reader joins at its call, not at its first read', async () => {
  const bus = openEvents();
  const stop = new AbortController();
  const events = bus.subscribe({ filters: none, signal: stop.signal });
  bus.emit(event('create'));
  for await (const { action, timeNano } of events) {
    assert.equal(action, 'create');
    assert.ok(timeNano <= nowNano());
    break;
  }
  assert.equal(bus.listeners, 0);
});

test('since and until choose among the last 256 events', async () => {
  const bus = openEvents();
  for (let i = 0; i < 300; i++) bus.emit(event(`e${i}`));
  const { signal } = new AbortController();
  const all = await actions(bus.subscribe({ since: 0n, until: nowNano(), filters: none, signal }));
  assert.equal(all.length, 256);
  assert.equal(all[0], 'e44');
  assert.equal(all.at(-1), 'e299');
  const middle = nowNano();
  bus.emit(event('after'));
  assert.deepEqual(await actions(bus.subscribe({ since: middle, until: nowNano(), filters: none, signal })), ['after']);
  const until = await actions(bus.subscribe({ until: middle, filters: none, signal }));
  assert.equal(until.includes('after'), false);
});

test('until in the future ends the reader in time, with what came before', async () => {
  const bus = openEvents();
  const { signal } = new AbortController();
  const reading = actions(bus.subscribe({ until: nowNano() + 50_000_000n, filters: none, signal }));
  bus.emit(event('start'));
  assert.deepEqual(await reading, ['start']);
});

test('a reader that lags loses events and nobody else does', async () => {
  const bus = openEvents();
  const stop = new AbortController();
  const slow = bus.subscribe({ filters: none, signal: stop.signal })[Symbol.asyncIterator]();
  const quick: string[] = [];
  const reading = (async () => {
    for await (const { action } of bus.subscribe({ filters: none, signal: stop.signal })) quick.push(action);
  })();
  for (let i = 0; i < 3000; i++) {
    bus.emit(event(`e${i}`));
    if (i % 100 === 0) await turn();
  }
  await turn();
  let got = 0;
  for (;;) {
    const { value } = (await slow.next()) as { value: EngineEvent };
    got += 1;
    if (value.action === 'e1023') break;
  }
  assert.equal(got, 1024);
  bus.emit(event('late'));
  assert.equal(((await slow.next()) as { value: EngineEvent }).value.action, 'late');
  await turn();
  stop.abort();
  await reading;
  assert.equal(quick.length, 3001);
});

test('when the clock is set back, readers of now hear what happens now', async (t) => {
  const bus = openEvents();
  const real = Date.now;
  bus.emit(event('before'));
  t.mock.method(Date, 'now', () => real() - 3_600_000);
  const start = nowNano();
  const reading = actions(
    bus.subscribe({ since: start, until: start + 100_000_000n, filters: none, signal: new AbortController().signal }),
  );
  bus.emit(event('after'));
  // What was told before the clock went back lies in the future now.
  assert.deepEqual(await reading, ['after']);
});

test('an aborted signal gives nothing', async () => {
  const bus = openEvents();
  bus.emit(event('x'));
  assert.deepEqual(await actions(bus.subscribe({ since: 0n, filters: none, signal: AbortSignal.abort() })), []);
});
