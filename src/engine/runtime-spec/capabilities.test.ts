import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  containerCapabilities,
  DEFAULT_CAPABILITIES,
  normalizeCapabilities,
  processCapabilities,
} from './capabilities.ts';
import { testHost, testHostConfig } from './test-container.ts';

const host = testHost();
const of = (asked: object, on = host) => containerCapabilities(testHostConfig(asked), on);

test('fourteen by default', () => {
  assert.equal(DEFAULT_CAPABILITIES.length, 14);
  assert.deepEqual(of({}), [...DEFAULT_CAPABILITIES]);
});

test('names come with or without CAP_ and in any case', () => {
  const names = normalizeCapabilities(['net_admin', 'CAP_SYS_TIME', 'cap_Syslog', 'all'], 'CapAdd', host);
  assert.deepEqual(names, ['CAP_NET_ADMIN', 'CAP_SYS_TIME', 'CAP_SYSLOG', 'ALL']);
});

test('added and dropped ones', () => {
  const names = of({ CapAdd: ['NET_ADMIN', 'chown'], CapDrop: ['MKNOD'] });
  assert.equal(names.includes('CAP_MKNOD'), false);
  assert.equal(names.at(-1), 'CAP_NET_ADMIN');
  assert.equal(names.filter((name) => name === 'CAP_CHOWN').length, 1);
});

test('ALL dropped leaves only what is added; ALL added leaves out only what is dropped', () => {
  assert.deepEqual(of({ CapDrop: ['all'], CapAdd: ['KILL'] }), ['CAP_KILL']);
  assert.deepEqual(
    of({ CapAdd: ['ALL'], CapDrop: ['SYS_ADMIN'] }),
    host.capabilities.filter((name) => name !== 'CAP_SYS_ADMIN'),
  );
});

test('an unknown name is refused in the words of Docker, naming the field', () => {
  const unknown = (field: string) => ({ kind: 'invalid', message: `invalid ${field}: unknown capability: "CAP_NOPE"` });
  assert.throws(() => of({ CapAdd: ['nope'] }), unknown('CapAdd'));
  assert.throws(() => of({ CapDrop: ['CAP_nope'] }), unknown('CapDrop'));
});

test('what the engine does not hold it cannot give: privileged leaves it out, asking for it fails', () => {
  const poor = testHost({ capabilities: host.capabilities.filter((name) => name !== 'CAP_SYS_RESOURCE') });
  assert.equal(of({ Privileged: true }, poor).includes('CAP_SYS_RESOURCE'), false);
  assert.equal(of({ Privileged: true }, poor).includes('CAP_SYS_ADMIN'), true);
  assert.throws(() => of({ CapAdd: ['SYS_RESOURCE'] }, poor), {
    kind: 'invalid',
    message:
      'invalid CapAdd: capability not supported by your kernel or not available in the current environment: "CAP_SYS_RESOURCE"',
  });
  assert.doesNotThrow(() => of({ CapDrop: ['SYS_RESOURCE'] }, poor));
});

test('another user than root starts with a bounding set only', () => {
  assert.deepEqual(processCapabilities(['CAP_KILL'], 1000), { bounding: ['CAP_KILL'] });
  assert.deepEqual(processCapabilities(['CAP_KILL'], 0).effective, ['CAP_KILL']);
});
