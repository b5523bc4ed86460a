import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Tracked, track } from '../containers/tracked.ts';
import { testContainer } from '../runtime-spec/test-container.ts';
import type { StatsSample } from './sample.ts';
import { statsOf } from './stats-of.ts';
import { openWatches } from './watches.ts';

function running(): Tracked {
  const tracked = track(testContainer({}));
  tracked.container.state.status = 'running';
  return tracked;
}

/** Samples numbered by `read`; `undefined` once `alive` says so. */
function counter(startedAt: () => string | undefined = () => 'a') {
  let looks = 0;
  const look = (): StatsSample | undefined => {
    looks++;
    const began = startedAt();
    return began === undefined ? undefined : ({ read: String(looks), startedAt: began } as StatsSample);
  };
  return { look, looks: () => looks };
}

const live = () => new AbortController().signal;

test('without a stream there are two looks to compare, with one-shot only one', async () => {
  const watches = openWatches(counter().look, 5);
  const compared = await Array.fromAsync(
    statsOf(watches, running(), { stream: false, oneShot: false, signal: live() }),
  );
  assert.deepEqual(
    compared.map(({ now, before }) => [now?.read, before?.read]),
    [['2', '1']],
  );
  const single = await Array.fromAsync(statsOf(watches, running(), { stream: false, oneShot: true, signal: live() }));
  assert.deepEqual(
    single.map(({ now, before }) => [now?.read, before?.read]),
    [['3', undefined]],
  );
});

test('who does not run answers at once, and one that ends meanwhile keeps nobody waiting', async () => {
  const stopped = track(testContainer({}));
  stopped.container.state.status = 'exited';
  const watches = openWatches(counter(() => undefined).look, 5);
  for (const tracked of [stopped, running()]) {
    const [only] = await Array.fromAsync(statsOf(watches, tracked, { stream: false, oneShot: false, signal: live() }));
    assert.deepEqual([only?.now, only?.before], [undefined, undefined]);
  }
});

test('a stream: each look with the one before, and none across a restart', async () => {
  const began = ['a', 'a', undefined, 'b', 'c', 'c'];
  const watches = openWatches(counter(() => began.shift()).look, 5);
  const client = new AbortController();
  const seen: unknown[] = [];
  for await (const { now, before } of statsOf(watches, running(), {
    stream: true,
    oneShot: false,
    signal: client.signal,
  })) {
    seen.push([now?.read, before?.read]);
    if (seen.length === 6) client.abort();
  }
  assert.deepEqual(seen, [
    ['1', undefined],
    ['2', '1'],
    [undefined, undefined],
    ['4', undefined],
    ['5', undefined],
    ['6', '5'],
  ]);
});

test('a stream ends when its container is removed', async () => {
  const tracked = running();
  const watches = openWatches(counter().look, 5);
  let seen = 0;
  for await (const _ of statsOf(watches, tracked, { stream: true, oneShot: false, signal: live() })) {
    seen++;
    for (const removed of tracked.onRemoved) removed({ statusCode: 0 });
  }
  assert.deepEqual([seen, tracked.onRemoved.size], [1, 0]);
});

test('all who watch share the looks, and nobody looks when nobody watches', async () => {
  const { look, looks } = counter();
  const watches = openWatches(look, 5);
  const tracked = running();
  const got = [0, 0, 0];
  const done = Promise.withResolvers<void>();
  const all = got.map((_, at) =>
    watches.watch(tracked, () => {
      got[at] = (got[at] ?? 0) + 1;
      if (got.every((count) => count >= 5)) done.resolve();
    }),
  );
  await done.promise;
  for (const one of all) one[Symbol.dispose]();
  const after = looks();
  assert.ok(after < 10, `${after} looks for three watchers that saw 5`);
  await new Promise((resolve) => setTimeout(resolve, 30));
  assert.equal(looks(), after);
});
