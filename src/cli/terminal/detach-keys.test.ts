import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DEFAULT_DETACH_KEYS, detachWatcher, keyBytes } from './detach-keys.ts';

test('key names', () => {
  assert.deepEqual(keyBytes(DEFAULT_DETACH_KEYS), [16, 17]);
  assert.deepEqual(keyBytes('a,ctrl-@,ctrl-_,DEL'), [97, 0, 31, 127]);
  assert.throws(() => keyBytes('ctrl-!'), { message: "Unknown character: 'ctrl-!'" });
});

test('the sequence is found across chunks, its beginnings pass late', () => {
  const watch = detachWatcher([16, 17]);
  const pass = (...bytes: number[]) => {
    const passed = watch(Buffer.from(bytes));
    return passed === 'detach' ? passed : [...passed];
  };
  assert.deepEqual(pass(97, 16), [97]);
  assert.deepEqual(pass(98), [16, 98]);
  assert.deepEqual(pass(16, 16), [16]);
  assert.equal(pass(17), 'detach');
});
