import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { NetworkView } from '../engine.ts';
import { findNetwork, selectNetworks } from './select-networks.ts';

const view = (id: string, name: string, driver: NetworkView['driver']): NetworkView => {
  const labels = name === 'bridge' ? { tier: 'front', own: '' } : {};
  return { id, name, driver, created: '', internal: false, ipam: [], options: {}, labels };
};
const networks = [view('aa11', 'bridge', 'bridge'), view('aa22', 'host', 'host'), view('bb33', 'none', 'null')];

const names = (filters: Record<string, string[]>): string[] =>
  selectNetworks(networks, new Map(Object.entries(filters))).map(({ name }) => name);

test('names and ids match in part, driver and scope in full', () => {
  assert.deepEqual(names({}), ['bridge', 'host', 'none']);
  assert.deepEqual(names({ name: ['ri'] }), ['bridge']);
  assert.deepEqual(names({ name: ['^ho', 'none'] }), ['host', 'none']);
  assert.deepEqual(names({ name: ['('] }), []);
  assert.deepEqual(names({ id: ['a2'] }), ['host']);
  assert.deepEqual(names({ driver: ['brid'] }), []);
  assert.deepEqual(names({ driver: ['null'], scope: ['local'] }), ['none']);
  assert.deepEqual(names({ scope: ['swarm'] }), []);
});

test('types, labels and dangling', () => {
  assert.deepEqual(names({ type: ['custom'] }), []);
  assert.equal(names({ type: ['builtin'] }).length, 3);
  assert.deepEqual(names({ label: ['own', 'tier=front'] }), ['bridge']);
  assert.deepEqual(names({ label: ['tier=back'] }), []);
  assert.deepEqual(names({ dangling: ['true'] }), []);
  assert.equal(names({ dangling: ['0'] }).length, 3);
});

test('what is no filter is refused in Docker’s words', () => {
  assert.throws(() => names({ foo: ['a'] }), { kind: 'invalid', message: "Invalid filter 'foo'" });
  assert.throws(() => names({ type: ['x'] }), { kind: 'invalid', message: "invalid filter: 'type'='x'" });
  assert.throws(() => names({ dangling: ['x'] }), { kind: 'invalid', message: /must be "true"/ });
});

test('lookup goes by id, then name, then prefix of the id', () => {
  assert.equal(findNetwork(networks, 'aa11').name, 'bridge');
  assert.equal(findNetwork(networks, 'host').id, 'aa22');
  assert.equal(findNetwork(networks, 'b').name, 'none');
  assert.throws(() => findNetwork(networks, 'aa'), { kind: 'invalid', message: /ambiguous \(2 matches/ });
  for (const ref of ['', 'default', 'zz']) assert.throws(() => findNetwork(networks, ref), { kind: 'not-found' });
});
