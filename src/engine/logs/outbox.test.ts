import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { openLog, silentLog } from '../../util/log.ts';
import type { LogMessage, LogSink } from './drivers/driver.ts';
import { Outbox, type OutboxLimits } from './outbox.ts';

const say = (line: string): LogMessage => ({ stream: 'stdout', line: Buffer.from(line), time: 0n });

/** A receiver that takes one message for each call of `take`. */
function gated() {
  const sent: string[] = [];
  const gates: PromiseWithResolvers<void>[] = [];
  const sink: LogSink = {
    connect: async () => {},
    send: async ({ line }) => {
      const gate = Promise.withResolvers<void>();
      gates.push(gate);
      await gate.promise;
      sent.push(line.toString());
    },
    close: () => gates.forEach((gate) => gate.reject(new Error('closed'))),
  };
  const take = async (): Promise<void> => {
    const before = sent.length;
    while (gates.length === before) await turn();
    gates[before]?.resolve();
    while (sent.length === before) await turn();
    await turn();
  };
  return { sink, sent, take };
}

const open = (sink: LogSink, limits: OutboxLimits) => new Outbox(sink, limits, silentLog());

test('what does not fit is waited for, until there is room', async () => {
  const { sink, sent, take } = gated();
  const outbox = open(sink, { bytes: 8, messages: Number.POSITIVE_INFINITY, drop: false });
  outbox.push(say('one'));
  assert.equal(outbox.room(), undefined);
  outbox.push(say('two'));
  let room = false;
  void outbox.room()?.then(() => (room = true));
  await turn();
  assert.equal(room, false);
  await take();
  assert.equal(room, true);
  await take();
  assert.deepEqual(sent, ['one', 'two']);
});

test('what does not fit is dropped when the container is not to be held up', async () => {
  for (const limits of [
    { bytes: 8, messages: 99 },
    { bytes: 999, messages: 2 },
  ]) {
    const { sink, sent, take } = gated();
    const said: string[] = [];
    const outbox = new Outbox(
      sink,
      { ...limits, drop: true },
      openLog('warn', (line) => said.push(line)),
    );
    for (const line of ['one', 'two', 'too much', 'again']) outbox.push(say(line));
    assert.equal(outbox.room(), undefined);
    await take();
    await take();
    await outbox.end();
    assert.deepEqual(sent, ['one', 'two']);
    assert.equal(said.length, 2);
    assert.match(said[1] ?? '', /messages of a container were dropped","dropped":2/);
  }
});

test('a limit of nothing lets one message at a time leave', async () => {
  const { sink, sent } = gated();
  const outbox = open(
    { ...sink, send: async ({ line }) => void sent.push(line.toString()) },
    { bytes: 0, messages: 0, drop: true },
  );
  for (const line of ['one', 'two']) {
    outbox.push(say(line));
    await turn();
  }
  assert.deepEqual(sent, ['one', 'two']);
});

test('a message that is lost takes no room, and the next ones are sent', async () => {
  const sent: string[] = [];
  const sink: LogSink = {
    connect: async () => {},
    send: async ({ line }) => {
      if (line.toString() === 'bad') throw new Error('no');
      sent.push(line.toString());
    },
    close: () => {},
  };
  const outbox = open(sink, { bytes: 4, messages: 99, drop: false });
  for (const line of ['bad', 'good', 'bad', 'last']) outbox.push(say(line));
  await outbox.room();
  await outbox.end();
  assert.deepEqual(sent, ['good', 'last']);
  assert.equal(outbox.room(), undefined);
});

test('the end waits for what is on its way; closing does not, and lets go of who waits for room', async () => {
  const first = gated();
  const ending = open(first.sink, { bytes: 99, messages: 99, drop: false });
  ending.push(say('late'));
  const ended = ending.end();
  await first.take();
  await ended;
  assert.deepEqual(first.sent, ['late']);
  const second = gated();
  const closing = open(second.sink, { bytes: 1, messages: 99, drop: false });
  closing.push(say('gone'));
  const room = closing.room();
  closing.close();
  await room;
  closing.push(say('never'));
  await turn();
  assert.deepEqual(second.sent, []);
});

test('a receiver that keeps up does not keep everything else from happening', async () => {
  let sent = 0;
  const sink: LogSink = {
    connect: async () => {},
    send: async () => {
      sent += 1;
      for (const until = performance.now() + 0.1; performance.now() < until; );
    },
    close: () => {},
  };
  const outbox = open(sink, { bytes: Number.POSITIVE_INFINITY, messages: 1000, drop: true });
  for (let i = 0; i < 1000; i++) outbox.push(say('x'));
  await turn();
  await turn();
  assert.ok(sent > 0 && sent < 1000, `${sent} messages left in one go`);
  await outbox.end();
  assert.equal(sent, 1000);
});
