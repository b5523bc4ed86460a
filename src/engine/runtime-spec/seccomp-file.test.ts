import assert from 'node:assert/strict';
import { test } from 'node:test';
import { seccompFromJson } from './seccomp-file.ts';
import { testHost } from './test-container.ts';

const context = { capabilities: new Set(['CAP_SYS_ADMIN']), host: testHost() };
const read = (profile: unknown) => seccompFromJson(JSON.stringify(profile), context);

test('a profile goes to the runtime as it is, old single names made lists', () => {
  const profile = read({
    defaultAction: 'SCMP_ACT_ALLOW',
    architectures: ['SCMP_ARCH_X86_64'],
    syscalls: [
      { name: 'chmod', action: 'SCMP_ACT_ERRNO', errnoRet: 13, args: [] },
      { names: ['kill'], action: 'SCMP_ACT_LOG', args: [{ index: 1, value: 9, valueTwo: 0, op: 'SCMP_CMP_EQ' }] },
    ],
  });
  assert.deepEqual(profile, {
    defaultAction: 'SCMP_ACT_ALLOW',
    architectures: ['SCMP_ARCH_X86_64'],
    syscalls: [
      { names: ['chmod'], action: 'SCMP_ACT_ERRNO', errnoRet: 13 },
      { names: ['kill'], action: 'SCMP_ACT_LOG', args: [{ index: 1, value: 9, valueTwo: 0, op: 'SCMP_CMP_EQ' }] },
    ],
  });
});

test('conditions are resolved for the container and the host', () => {
  const rule = (name: string, condition: object) => ({ names: [name], action: 'SCMP_ACT_ALLOW', ...condition });
  const profile = read({
    defaultAction: 'SCMP_ACT_ERRNO',
    archMap: [{ architecture: 'SCMP_ARCH_X86_64', subArchitectures: ['SCMP_ARCH_X86'] }],
    syscalls: [
      rule('a', { includes: { caps: ['CAP_SYS_ADMIN'] } }),
      rule('b', { includes: { caps: ['CAP_SYS_TIME'] } }),
      rule('c', { excludes: { caps: ['CAP_SYS_ADMIN'] } }),
      rule('d', { includes: { arches: ['arm64'] } }),
      rule('e', { includes: { arches: ['amd64'], minKernel: '4.8' } }),
      rule('f', { includes: { minKernel: '99.0' } }),
      rule('g', { excludes: { minKernel: '4.8' } }),
      rule('h', { excludes: { arches: ['amd64'] } }),
    ],
  });
  assert.deepEqual(
    profile?.syscalls.map(({ names }) => names[0]),
    ['a', 'e'],
  );
  assert.deepEqual(profile?.architectures, ['SCMP_ARCH_X86_64', 'SCMP_ARCH_X86']);
});

test('a profile that says nothing confines nothing, as with dockerd', () => {
  assert.equal(read({ a: 1 }), undefined);
});

test('malformed ones are refused', () => {
  const refused = (text: string, message: RegExp) =>
    assert.throws(() => seccompFromJson(text, context), { kind: 'invalid', message });
  refused('nofile', /^Decoding seccomp profile failed: /);
  refused('[]', /^Decoding seccomp profile failed: /);
  const masked =
    '{"syscalls":[{"names":["a"],"action":"x","args":[{"index":0,"op":"o","value":18446744073709551615}]}]}';
  refused(masked, /^Decoding seccomp profile failed: syscalls\.0\.args\.0\.value/);
  refused('{"defaultAction":"x","syscalls":[{"names":["a"]}]}', /syscalls\.0\.action/);
  refused(
    '{"defaultAction":"x","architectures":["a"],"archMap":[{"architecture":"b"}]}',
    /both 'architectures' and 'archMap'/,
  );
  refused('{"defaultAction":"x","syscalls":[{"name":"a","names":["b"],"action":"y"}]}', /'name' and 'names'/);
});
