import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CAPABILITY_NAMES, capabilitiesOf } from './capability-names.ts';
import { findProgram } from './find-program.ts';
import { hardLimitsOf, kernelOf, osOf, probeHost } from './host-facts.ts';

test('this host', async () => {
  const host = await probeHost();
  assert.equal(host.kernel.major > 3, true);
  assert.equal(host.cpus > 0 && host.memory > 0, true);
  assert.notEqual(host.os.name, '');
  assert.equal(
    host.capabilities.every((name) => CAPABILITY_NAMES.includes(name)),
    true,
  );
  assert.equal(host.devicesAt('/dev/null').kind, 'device');
  assert.equal(host.propagationAt('/').mountPoint, '/');
});

test('kernels', () => {
  assert.deepEqual(kernelOf('6.1.0-30-amd64'), { release: '6.1.0-30-amd64', major: 6, minor: 1 });
  assert.deepEqual(kernelOf('odd'), { release: 'odd', major: 0, minor: 0 });
});

test('os-release, quoted or not', () => {
  assert.deepEqual(osOf('NAME=x\nPRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\nVERSION_ID="12"\n'), {
    name: 'Debian GNU/Linux 12 (bookworm)',
    version: '12',
  });
  assert.deepEqual(osOf("PRETTY_NAME='Some Linux'\nVERSION_ID=3"), { name: 'Some Linux', version: '3' });
  assert.deepEqual(osOf(''), { name: 'Linux', version: '' });
});

test('limits by the names of --ulimit', () => {
  const text = `Limit                     Soft Limit           Hard Limit           Units
Max open files            1024                 4096                 files
Max core file size        0                    unlimited            bytes     `;
  assert.deepEqual(hardLimitsOf(text), { core: Number.POSITIVE_INFINITY, nofile: 4096 });
});

test('capabilities of a mask', () => {
  assert.deepEqual(capabilitiesOf('0000000000000003'), ['CAP_CHOWN', 'CAP_DAC_OVERRIDE']);
  assert.deepEqual(capabilitiesOf('0000010000000000'), ['CAP_CHECKPOINT_RESTORE']);
  assert.equal(capabilitiesOf('000001ffffffffff').length, 41);
  assert.equal(CAPABILITY_NAMES[21], 'CAP_SYS_ADMIN');
});

test('programs are found by name or path, the first that is there', () => {
  assert.equal(findProgram('no-such-program', 'sh').endsWith('/sh'), true);
  assert.equal(findProgram('/bin/sh'), '/bin/sh');
  assert.equal(findProgram('no-such-program', '/etc/passwd', '/etc'), '');
});
