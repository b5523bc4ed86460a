import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DEFAULT_CAPABILITIES } from './capabilities.ts';
import { applies, atLeast, defaultSeccomp } from './seccomp.ts';
import { SECCOMP_FACTS } from './seccomp-profile.ts';
import { testHost } from './test-container.ts';

const resolve = (capabilities: readonly string[] = DEFAULT_CAPABILITIES, over = {}) =>
  defaultSeccomp({ capabilities: new Set(capabilities), host: testHost(over) });
const allowed = (profile: ReturnType<typeof resolve>, name: string) =>
  profile.syscalls.filter(({ names, action }) => names.includes(name) && action === 'SCMP_ACT_ALLOW');

test('361 calls are allowed whatever the container is, and every name stands once', () => {
  const names = SECCOMP_FACTS[0]?.names.trim().split(/\s+/) ?? [];
  assert.equal(names.length, 361);
  assert.equal(new Set(names).size, 361);
});

test('what is not named answers EPERM', () => {
  const { defaultAction, defaultErrnoRet } = resolve();
  assert.deepEqual([defaultAction, defaultErrnoRet], ['SCMP_ACT_ERRNO', 1]);
  assert.deepEqual(allowed(resolve(), 'keyctl'), []);
  assert.deepEqual(allowed(resolve(), 'io_uring_setup'), []);
});

test('by default: chroot for its capability, no mount, clone without new namespaces, clone3 as if it did not exist', () => {
  const profile = resolve();
  assert.equal(allowed(profile, 'chroot').length, 1);
  assert.deepEqual(allowed(profile, 'mount'), []);
  assert.deepEqual(allowed(profile, 'clone')[0]?.args, [{ index: 0, value: 2114060288, op: 'SCMP_CMP_MASKED_EQ' }]);
  assert.deepEqual(
    profile.syscalls.find(({ names }) => names.includes('clone3')),
    { names: ['clone3'], action: 'SCMP_ACT_ERRNO', errnoRet: 38 },
  );
});

test('CAP_SYS_ADMIN opens clone, clone3 and mount', () => {
  const profile = resolve([...DEFAULT_CAPABILITIES, 'CAP_SYS_ADMIN']);
  for (const name of ['clone', 'clone3', 'mount', 'unshare']) assert.equal(allowed(profile, name).length, 1, name);
  assert.equal(allowed(profile, 'clone')[0]?.args, undefined);
  assert.equal(
    profile.syscalls.some(({ action }) => action === 'SCMP_ACT_ERRNO'),
    false,
  );
});

test('each capability opens its own calls and no others', () => {
  const opened: Record<string, string> = {
    CAP_SYS_TIME: 'settimeofday',
    CAP_SYS_MODULE: 'init_module',
    CAP_SYS_BOOT: 'reboot',
    CAP_SYSLOG: 'syslog',
    CAP_BPF: 'bpf',
    CAP_DAC_READ_SEARCH: 'open_by_handle_at',
  };
  for (const [capability, call] of Object.entries(opened)) {
    assert.equal(allowed(resolve([]), call).length, 0, call);
    assert.equal(allowed(resolve([capability]), call).length, 1, call);
  }
});

test('an architecture has its siblings and its own calls', () => {
  assert.deepEqual(resolve().architectures, ['SCMP_ARCH_X86_64', 'SCMP_ARCH_X86', 'SCMP_ARCH_X32']);
  assert.equal(allowed(resolve(), 'arch_prctl').length, 1);
  const arm = resolve(DEFAULT_CAPABILITIES, { arch: 'arm64' });
  assert.deepEqual(arm.architectures, ['SCMP_ARCH_AARCH64', 'SCMP_ARCH_ARM']);
  assert.equal(allowed(arm, 'arch_prctl').length, 0);
  assert.equal(allowed(arm, 'cacheflush').length, 1);
});

test('on s390x the flags of clone are its second argument', () => {
  const [rule] = allowed(resolve(DEFAULT_CAPABILITIES, { arch: 's390x' }), 'clone');
  assert.equal(rule?.args?.[0]?.index, 1);
});

test('ptrace needs kernel 4.8 or its capability', () => {
  const old = { kernel: { release: '4.4.0', major: 4, minor: 4 } };
  assert.equal(allowed(resolve(DEFAULT_CAPABILITIES, old), 'ptrace').length, 0);
  assert.equal(allowed(resolve(['CAP_SYS_PTRACE'], old), 'ptrace').length, 1);
  assert.equal(allowed(resolve(), 'ptrace').length, 1);
});

test('versions are compared as numbers', () => {
  assert.equal(atLeast({ major: 4, minor: 10 }, '4.8'), true);
  assert.equal(atLeast({ major: 4, minor: 8 }, '4.8'), true);
  assert.equal(atLeast({ major: 3, minor: 19 }, '4.8'), false);
  assert.equal(applies({}, { capabilities: new Set(), host: testHost() }), true);
});

test('sockets of just the families that programs have a use for', () => {
  const rules = allowed(resolve(), 'socket').map(({ args }) => args?.[0]);
  const allows = (family: number) =>
    rules.some((arg) =>
      arg?.op === 'SCMP_CMP_LT'
        ? family < arg.value
        : (BigInt(family) & BigInt(arg?.value ?? 0)) === BigInt(arg?.valueTwo ?? 0),
    );
  const refused = Array.from({ length: 64 }, (_, family) => family).filter((family) => !allows(family));
  assert.deepEqual(refused.slice(0, 10), [12, 19, 20, 23, 25, 34, 37, 38, 40, 46]);
});

test('the x32 instruction set is covered unless the kernel cannot run it', () => {
  assert.ok(resolve().architectures?.includes('SCMP_ARCH_X32'));
  assert.deepEqual(resolve(DEFAULT_CAPABILITIES, { x32: false }).architectures, ['SCMP_ARCH_X86_64', 'SCMP_ARCH_X86']);
});
