import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { KeyedLock } from '../../util/keyed-lock.ts';
import { openLog } from '../../util/log.ts';
import { testContainer } from '../runtime-spec/test-container.ts';
import { endAll } from './end-all.ts';
import type { Parts } from './parts.ts';
import { Registry } from './registry.ts';
import { type Live, type Tracked, track } from './tracked.ts';

/** Containers whose processes end at their first signal, which is noted. */
function engineWith(ids: readonly string[]) {
  const registry = new Registry();
  const ended: string[] = [];
  for (const id of ids) {
    registry.reserve(`name-${id}`, id);
    registry.add(track({ ...testContainer(), id }));
  }
  const parts = {
    registry,
    locks: new KeyedLock(),
    restarts: { [Symbol.dispose]: () => {} },
    events: { emit: () => {} },
    defaults: { stopTimeout: 10 },
    log: openLog('warn', (line) => assert.fail(line)),
  } as unknown as Parts;
  const run = (tracked: Tracked): void => {
    const settled = Promise.withResolvers<void>();
    const kill = async (): Promise<void> => {
      ended.push(tracked.container.id);
      tracked.live = undefined;
      settled.resolve();
    };
    tracked.live = { task: { kill }, settled } as unknown as Live;
  };
  return { parts, ended, run, of: (id: string) => registry.byId(id) ?? assert.fail(id) };
}

test('who is being started is ended too, and so is who is started while others end', async () => {
  const { parts, ended, run, of } = engineWith(['runs', 'starts', 'later', 'never']);
  run(of('runs'));
  const starting = parts.locks.run('starts', async () => {
    await sleep(30);
    run(of('starts'));
    void parts.locks.run('later', async () => run(of('later')));
  });
  await Promise.all([endAll(parts, undefined), starting]);
  assert.deepEqual(ended.toSorted(), ['later', 'runs', 'starts']);
});

test('who runs is ended at once, whatever is being done to others or to it', async () => {
  const { parts, ended, run, of } = engineWith(['runs', 'starts']);
  run(of('runs'));
  const busy = Promise.withResolvers<void>();
  const works = ['runs', 'starts'].map((id) => parts.locks.run(id, () => busy.promise));
  const all = endAll(parts, undefined);
  await sleep(10);
  assert.deepEqual(ended, ['runs']);
  busy.resolve();
  await Promise.all([all, ...works]);
});
