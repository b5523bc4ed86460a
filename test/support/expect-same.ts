import assert from 'node:assert/strict';
import { isDeepStrictEqual } from 'node:util';
import { eventually } from './containers.ts';

/** Asserts that a look gives what is expected. What goes on its own time, such as a file being deleted, gets some seconds. */
export async function expectSame<T>(look: () => Promise<T>, expected: T, message = 'nothing is left'): Promise<void> {
  let last: T | undefined;
  const same = async () => {
    last = await look();
    return isDeepStrictEqual(last, expected);
  };
  await eventually(message, same, 3_000).catch(() => assert.deepEqual(last, expected, message));
}
