import assert from 'node:assert/strict';
import { test } from 'node:test';
import { kindOf } from '../../util/errors.ts';
import type { Container } from './model.ts';
import { Registry } from './registry.ts';
import { track } from './tracked.ts';

const A = 'a'.repeat(64);
const B = `ab${'0'.repeat(62)}`;

function registry(...containers: [id: string, name: string][]): Registry {
  const it = new Registry();
  for (const [id, name] of containers) {
    it.reserve(name, id);
    it.add(track({ id, name } as Container));
  }
  return it;
}
const kind = (work: () => unknown): string => {
  try {
    work();
    return 'nothing';
  } catch (error) {
    return kindOf(error);
  }
};

test('a container is found by id, by name with or without slash, by a unique prefix', () => {
  const it = registry([A, 'web'], [B, 'db']);
  for (const ref of [A, 'web', '/web', 'aa']) assert.equal(it.find(ref).container.id, A, ref);
  assert.equal(it.find('ab').container.id, B);
});

test('a name wins over a prefix', () => {
  const it = registry([A, 'web'], [B, 'aa']);
  assert.equal(it.find('aa').container.id, B);
});

test('what is not there and what is ambiguous', () => {
  const it = registry([A, 'web'], [B, 'db']);
  assert.throws(() => it.find('nope'), /No such container: nope/);
  assert.equal(
    kind(() => it.find('nope')),
    'not-found',
  );
  assert.throws(() => it.find('a'), /Multiple IDs found with provided prefix: a/);
  assert.equal(
    kind(() => it.find('')),
    'not-found',
  );
});

test('a name is held from its reservation on until it is released', () => {
  const it = registry([A, 'web']);
  assert.throws(
    () => it.reserve('/web', B),
    new RegExp(`The container name "/web" is already in use by container "${A}"`),
  );
  it.drop(it.find('web').container);
  assert.equal(it.reserve('web', B), 'web');
});

test('malformed names are refused', () => {
  const it = new Registry();
  for (const name of ['a', '-x', 'a b', 'a/b', '', '/', 'é9']) {
    assert.equal(
      kind(() => it.reserve(name, A)),
      'invalid',
      name,
    );
  }
});

test('what a row that cannot be read names counts as used', () => {
  const it = new Registry();
  it.setAside({ id: A, name: 'web', image: 'sha256:1', created: '', spec: '{"later":["data","sha256:2"]}', state: '' });
  assert.deepEqual([it.unread(), it.mounting('data'), it.mounting('dat')], [new Set([A]), [A], []]);
  for (const image of ['sha256:1', 'sha256:2']) assert.deepEqual(it.usersOf(image), { running: [A], stopped: [] });
  assert.deepEqual(it.usersOf('sha256:3'), { running: [], stopped: [] });
});
