import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import type { TestEngine } from './gantry.ts';
import { assertCleared } from './traces.ts';

/** How many moments between a request and the end of its work a kill comes at. */
export const ROUNDS = 10;

/** One thing that is interrupted. */
export interface Operation {
  /** What must be there first; gives what `run` needs. */
  prepare?(engine: TestEngine): Promise<string>;
  /** Resolves with the status when the engine has done it. */
  run(engine: TestEngine, prepared: string): Promise<number>;
  /** What must hold after the next start. */
  check?(engine: TestEngine): Promise<void>;
}

/** Lets an engine do something once, then kills it at every step of it: after each of its next starts all must be well. */
export async function killAtEveryStep(engine: TestEngine, operation: Operation, rounds = ROUNDS): Promise<void> {
  const prepared = (await operation.prepare?.(engine)) ?? '';
  const begin = performance.now();
  const status = await operation.run(engine, prepared);
  assert.ok(status < 300, `${status}`);
  const duration = performance.now() - begin;
  await operation.check?.(engine);
  await assertCleared(engine);
  for (let round = 0; round < rounds; round++) {
    await interrupt(engine, operation, (duration * 1.1 * round) / (rounds - 1));
  }
}

async function interrupt(engine: TestEngine, operation: Operation, delay: number): Promise<void> {
  const prepared = (await operation.prepare?.(engine)) ?? '';
  const done = operation.run(engine, prepared).catch(() => {});
  await sleep(delay);
  await engine.crash();
  await done;
  await engine.start();
  try {
    await operation.check?.(engine);
    await assertCleared(engine);
  } catch (error) {
    throw new Error(`killed after ${Math.round(delay)} ms: ${String(error)}`, { cause: error });
  }
}
