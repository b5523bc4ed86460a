import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DEFAULT_CAPABILITIES } from './capabilities.ts';
import { maskedPaths, readonlyPaths } from './hidden-paths.ts';
import { apparmorProfile, containerSeccomp } from './security.ts';
import { checkSecurityModules, parseSecurityOpts } from './security-opts.ts';
import { testHost, testHostConfig } from './test-container.ts';

const seccomp = (hostConfig: object, host = testHost()) =>
  containerSeccomp(testHostConfig(hostConfig), DEFAULT_CAPABILITIES, host);

test('options are read in both spellings, later ones winning', () => {
  const options = parseSecurityOpts([
    'no-new-privileges:true',
    'label=user:a',
    'label:type:b',
    'seccomp={"a":"b=c"}',
    'disable',
  ]);
  assert.equal(options.noNewPrivileges, true);
  assert.deepEqual(options.labels, ['user:a', 'type:b', 'disable']);
  assert.equal(options.seccomp, '{"a":"b=c"}');
  assert.equal(parseSecurityOpts(['no-new-privileges', 'no-new-privileges=0']).noNewPrivileges, false);
  assert.equal(parseSecurityOpts([]).seccomp, undefined);
});

test('options that nobody knows are refused in the words of Docker', () => {
  const refused = (option: string, number: number) =>
    assert.throws(() => parseSecurityOpts([option]), {
      kind: 'invalid',
      message: `invalid --security-opt ${number}: "${option}"`,
    });
  refused('foo', 1);
  refused('foo=bar', 2);
  refused('no-new-privileges=maybe', 2);
  refused('systempaths=unconfined', 2);
});

test('confinement by a module the host lacks is refused, its absence is not', () => {
  const check = (option: string, over = {}) => checkSecurityModules(parseSecurityOpts([option]), testHost(over));
  for (const fine of ['apparmor=unconfined', 'label=disable', 'apparmor=', 'label=user:x'])
    assert.doesNotThrow(() => check(fine));
  assert.throws(() => check('apparmor=mine'), { kind: 'invalid', message: /AppArmor is not enabled on this host/ });
  assert.doesNotThrow(() => check('apparmor=mine', { apparmor: true }));
  assert.throws(() => check('label=user:x', { selinux: true }), { kind: 'unsupported' });
});

test('the filter: by default, by name, by file, and not at all', () => {
  assert.equal(seccomp({})?.defaultAction, 'SCMP_ACT_ERRNO');
  assert.deepEqual(seccomp({ SecurityOpt: ['seccomp=builtin'] }), seccomp({}));
  assert.equal(seccomp({ SecurityOpt: ['seccomp={"defaultAction":"SCMP_ACT_LOG"}'] })?.defaultAction, 'SCMP_ACT_LOG');
  assert.equal(seccomp({ SecurityOpt: ['seccomp=unconfined'] }), undefined);
  assert.equal(seccomp({ Privileged: true }), undefined);
  const own = ['seccomp={"defaultAction":"SCMP_ACT_ALLOW"}'];
  assert.equal(seccomp({ Privileged: true, SecurityOpt: own })?.defaultAction, 'SCMP_ACT_ALLOW');
});

test('a kernel without filters runs containers without, unless one was asked for', () => {
  const bare = testHost({ seccomp: false });
  assert.equal(seccomp({}, bare), undefined);
  assert.throws(() => seccomp({ SecurityOpt: ['seccomp={"defaultAction":"SCMP_ACT_LOG"}'] }, bare), {
    kind: 'invalid',
    message: /seccomp is not enabled/,
  });
});

test('AppArmor: the profile of containers where it is loaded', () => {
  const on = testHost({ apparmor: true, apparmorProfile: 'docker-default' });
  const of = (hostConfig: object, host = on) => apparmorProfile(testHostConfig(hostConfig), host);
  assert.equal(of({}), 'docker-default');
  assert.equal(of({ Privileged: true }), 'unconfined');
  assert.equal(of({ SecurityOpt: ['apparmor=mine'] }), 'mine');
  assert.equal(of({}, testHost({ apparmor: true })), undefined);
  assert.equal(of({}, testHost()), undefined);
});

test('hidden paths: by default, chosen, and none when privileged', () => {
  const host = { thermalPaths: ['/sys/devices/system/cpu/cpu0/thermal_throttle'] };
  const masked = maskedPaths(testHostConfig(), host);
  assert.equal(masked.includes('/proc/kcore') && masked.includes('/proc/interrupts'), true);
  assert.equal(masked.at(-1), host.thermalPaths[0]);
  assert.deepEqual(maskedPaths(testHostConfig({ MaskedPaths: ['/x'] }), host), ['/x']);
  assert.deepEqual(maskedPaths(testHostConfig({ MaskedPaths: [] }), host), []);
  assert.deepEqual(maskedPaths(testHostConfig({ Privileged: true }), host), []);
  assert.deepEqual(readonlyPaths(testHostConfig()).length, 5);
  assert.deepEqual(readonlyPaths(testHostConfig({ ReadonlyPaths: [] })), []);
});

test('the daemon’s profile is that of containers which name none', () => {
  const of = (hostConfig: object, profile: string) =>
    containerSeccomp(testHostConfig(hostConfig), DEFAULT_CAPABILITIES, testHost(), { seccomp: profile });
  const json = '{"defaultAction":"SCMP_ACT_LOG"}';
  assert.equal(of({}, json)?.defaultAction, 'SCMP_ACT_LOG');
  assert.equal(of({ SecurityOpt: ['seccomp=builtin'] }, json)?.defaultAction, 'SCMP_ACT_ERRNO');
  assert.equal(of({}, 'unconfined'), undefined);
});
