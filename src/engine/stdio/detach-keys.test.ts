import assert from 'node:assert/strict';
import { test } from 'node:test';
import { kindOf } from '../../util/errors.ts';
import { DetachScanner, parseDetachKeys } from './detach-keys.ts';

test('key names become bytes', () => {
  assert.deepEqual([...parseDetachKeys('')], [16, 17]);
  assert.deepEqual([...parseDetachKeys('ctrl-p,ctrl-q')], [16, 17]);
  assert.deepEqual(
    [...parseDetachKeys('a,ctrl-@,ctrl-[,ctrl-\\,ctrl-],ctrl-^,ctrl-_,DEL,Z')],
    [97, 0, 27, 28, 29, 30, 31, 127, 90],
  );
});

test('what is no key is refused in words of Docker', () => {
  for (const bad of ['foo', 'ctrl-', 'ctrl-A', 'ctrl-1', 'a,,b', 'é', 'del']) {
    assert.throws(
      () => parseDetachKeys(bad),
      (error: Error) => error.message === `Invalid escape keys (${bad}) provided` && kindOf(error) === 'invalid',
      bad,
    );
  }
  assert.throws(() => parseDetachKeys('foo', 'detach'), { message: 'Invalid detach keys (foo) provided' });
});

/** Feeds pieces; gives what was passed on and whether it detached. */
function scan(keys: string, ...pieces: string[]): string {
  const scanner = new DetachScanner(Buffer.from(keys));
  let passed = '';
  for (const piece of pieces) {
    const { data, detached } = scanner.push(Buffer.from(piece));
    passed += data.toString();
    if (detached) return `${passed}!`;
  }
  return passed + scanner.flush().toString();
}

test('the sequence detaches wherever it is cut', () => {
  assert.equal(scan('pq', 'ab', 'cpq', 'never'), 'abc!');
  assert.equal(scan('pq', 'abp', 'q'), 'ab!');
  assert.equal(scan('pq', 'apqrest'), 'a!');
  assert.equal(scan('xyz', 'x', 'y', 'z'), '!');
});

test('a sequence that is not completed is passed on whole', () => {
  assert.equal(scan('pq', 'ap', 'b'), 'apb');
  assert.equal(scan('pq', 'ap'), 'ap');
  assert.equal(scan('pq', 'p', 'p', 'q'), 'p!');
  assert.equal(scan('aab', 'aaab'), 'a!');
  assert.equal(scan('abac', 'abab', 'ac'), 'ab!');
});

test('nothing is held back longer than needed', () => {
  const scanner = new DetachScanner(Buffer.from('pq'));
  assert.equal(scanner.push(Buffer.from('xp')).data.toString(), 'x');
  assert.equal(scanner.push(Buffer.from('y')).data.toString(), 'py');
});
