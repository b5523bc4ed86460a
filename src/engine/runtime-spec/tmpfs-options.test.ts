import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as v from 'valibot';
import { MountSchema } from '../../spec/container.ts';
import { tmpfsOptions, tmpfsOptionsOf } from './tmpfs-options.ts';

const of = (asked: object) => tmpfsOptionsOf(v.parse(MountSchema, { Type: 'tmpfs', Target: '/t', ...asked }));

test('the options of Docker, and what is asked for', () => {
  assert.deepEqual(tmpfsOptions(''), ['noexec', 'nosuid', 'nodev', 'rprivate']);
  assert.deepEqual(tmpfsOptions('size=64m,mode=1777'), [
    'noexec',
    'nosuid',
    'nodev',
    'rprivate',
    'size=64m',
    'mode=1777',
  ]);
});

test('of two that contradict each other the later one', () => {
  assert.deepEqual(tmpfsOptions('exec,size=1m,size=2m'), ['nosuid', 'nodev', 'rprivate', 'exec', 'size=2m']);
  assert.deepEqual(tmpfsOptions('ro,rw,suid,dev'), ['noexec', 'rprivate', 'rw', 'suid', 'dev']);
});

test('what tmpfs does not have is refused', () => {
  const cases = { foo: '"foo"', 'foo=1=2': '"foo" "1=2"', size: '"size"', '': '""', bind: '"bind"', SIZE: '"SIZE"' };
  for (const [wrong, shown] of Object.entries(cases)) {
    assert.throws(() => tmpfsOptions(`ro,${wrong}`), { kind: 'invalid', message: `invalid tmpfs option [${shown}]` });
  }
});

test('values the kernel would refuse are refused by name, and a word without meaning is left out', () => {
  assert.throws(() => tmpfsOptions('size='), { kind: 'invalid', message: 'invalid tmpfs option ["size" ""]' });
  assert.throws(() => tmpfsOptions('size=-4k'), { kind: 'invalid', message: 'invalid tmpfs option ["size" "-4k"]' });
  assert.deepEqual(tmpfsOptions('defaults'), tmpfsOptions(''));
});

test('a mount of type tmpfs in the same words', () => {
  assert.equal(of({}), '');
  assert.equal(of({ ReadOnly: true, TmpfsOptions: { SizeBytes: 3 << 20, Mode: 0o1770 } }), 'ro,mode=1770,size=3m');
  assert.equal(of({ TmpfsOptions: { SizeBytes: 2 ** 30 } }), 'size=1g');
  assert.equal(of({ TmpfsOptions: { SizeBytes: 1025, Options: [['exec']] } }), 'size=1025,exec');
  assert.throws(() => of({ TmpfsOptions: { Options: [['uid', '5']] } }), { message: 'invalid option: uid' });
  assert.throws(() => of({ TmpfsOptions: { Options: [[]] } }), { message: 'invalid option array length' });
});
