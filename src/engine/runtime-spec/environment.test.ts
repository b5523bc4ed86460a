import assert from 'node:assert/strict';
import { test } from 'node:test';
import { environment } from './environment.ts';

const PATH = 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

test('what every process has, with a terminal its type too', () => {
  assert.deepEqual(environment({ hostname: 'h', tty: false, own: [] }), [PATH, 'HOSTNAME=h']);
  assert.deepEqual(environment({ hostname: 'h', tty: true, own: [] }), [PATH, 'HOSTNAME=h', 'TERM=xterm']);
});

test('later values take the place of earlier ones', () => {
  const env = environment({
    hostname: 'h',
    tty: true,
    own: [
      ['A=1', 'PATH=/x', 'B=a=b'],
      ['A=2', 'C='],
    ],
  });
  assert.deepEqual(env, ['PATH=/x', 'HOSTNAME=h', 'TERM=xterm', 'A=2', 'B=a=b', 'C=']);
});

test('a name without a value takes the variable away', () => {
  assert.deepEqual(environment({ hostname: 'h', tty: false, own: [['A=1'], ['A', 'HOSTNAME', 'NEVER']] }), [PATH]);
});
