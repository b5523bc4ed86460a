import assert from 'node:assert/strict';
import { test } from 'node:test';
import { rlimits, withDefaults } from './rlimits.ts';
import { testHost } from './test-container.ts';

const rich = testHost();
const poor = testHost({ capabilities: [], hardLimits: { nofile: 1024, core: Number.POSITIVE_INFINITY } });

test('only what is asked for, by the names of the kernel', () => {
  assert.deepEqual(rlimits([], rich), []);
  assert.deepEqual(rlimits([{ Name: 'nofile', Soft: 1, Hard: 2 }], rich), [
    { type: 'RLIMIT_NOFILE', soft: 1, hard: 2 },
  ]);
});

test('unlimited is written to the last digit', () => {
  const [limit] = rlimits([{ Name: 'core', Soft: 0, Hard: -1 }], rich);
  assert.equal(JSON.stringify(limit), '{"type":"RLIMIT_CORE","soft":0,"hard":18446744073709551615}');
});

test('numbers below zero are those that C makes of them, names may be written large', () => {
  const [limit] = rlimits([{ Name: 'NOFILE', Soft: 5, Hard: -2 }], rich);
  assert.equal(JSON.stringify(limit), '{"type":"RLIMIT_NOFILE","soft":5,"hard":18446744073709551614}');
  assert.throws(() => rlimits([{ Name: 'NOFILE', Soft: 5, Hard: -2 }], poor), /cannot raise the limit "NOFILE" to -2/);
});

test('raising what the host does not let the engine raise is an error that names the limit', () => {
  const raise = (Hard: number) => () => rlimits([{ Name: 'nofile', Soft: 5, Hard }], poor);
  assert.doesNotThrow(raise(1024));
  assert.throws(raise(1025), {
    kind: 'invalid',
    message:
      'cannot raise the limit "nofile" to 1025: this host allows at most 1024, and the engine lacks CAP_SYS_RESOURCE',
  });
  assert.throws(raise(-1), /"nofile" to unlimited/);
  assert.doesNotThrow(() => rlimits([{ Name: 'core', Soft: 0, Hard: -1 }], poor));
});

test('a limit of the daemon goes where the container names none', () => {
  const own = [{ Name: 'nofile', Soft: 1, Hard: 2 }];
  const defaults = [
    { Name: 'nofile', Soft: 5, Hard: 6 },
    { Name: 'core', Soft: 0, Hard: 0 },
  ];
  assert.deepEqual(withDefaults(own, defaults), [...own, { Name: 'core', Soft: 0, Hard: 0 }]);
});
