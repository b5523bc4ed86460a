import assert from 'node:assert/strict';
import { test } from 'node:test';
import { conflict, firstError, hasCode, internal, kindOf, laterErrors, messageOf } from './errors.ts';

/** Fails with `first`, then in each of the undoing steps. */
async function failing(first: unknown, ...later: unknown[]): Promise<unknown> {
  try {
    await using undo = new AsyncDisposableStack();
    for (const error of later.toReversed()) {
      undo.defer(() => {
        throw error;
      });
    }
    throw first;
  } catch (error) {
    return error;
  }
}

test('what went wrong first is what is told, however much went wrong while it was undone', async () => {
  const first = conflict('name taken');
  const later = [internal('cannot unmount'), new Error('cannot remove')];
  const error = await failing(first, ...later);
  assert.equal(firstError(error), first);
  assert.deepEqual([kindOf(error), messageOf(error)], ['conflict', 'name taken']);
  assert.deepEqual(laterErrors(error), later);
  assert.deepEqual(laterErrors(internal('cannot create', error)), later);
});

test('without an undoing that fails an error is itself', async () => {
  const error = conflict('name taken');
  assert.deepEqual([firstError(error), laterErrors(error)], [error, []]);
  assert.deepEqual([messageOf('text'), kindOf('text')], ['text', 'internal']);
});

test('the code of a system error is found behind what came later', async () => {
  const missing = Object.assign(new Error('missing'), { code: 'ENOENT' });
  assert.ok(hasCode(await failing(missing, new Error('later')), 'EEXIST', 'ENOENT'));
  assert.ok(!hasCode(await failing(new Error('first'), missing), 'ENOENT'));
});
