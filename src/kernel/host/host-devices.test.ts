import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { run } from '../../util/spawn.ts';
import { deviceNumber, lookupDevices } from './host-devices.ts';

const needsRoot = process.getuid?.() === 0 ? false : 'device nodes take root to make';

test('a device, through a link too, by the name that was asked for', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'gantry-devices-'));
  try {
    await symlink('/dev/zero', join(dir, 'link'));
    await symlink('nowhere', join(dir, 'dangling'));
    assert.equal(lookupDevices(join(dir, 'dangling')).kind, 'other');
    const found = lookupDevices(join(dir, 'link'));
    assert.equal(found.kind, 'device');
    if (found.kind === 'device') {
      const { path, type, major, minor } = found.device;
      assert.deepEqual([path, type, major, minor], [join(dir, 'link'), 'c', 1, 5]);
    }
  } finally {
    await rm(dir, { recursive: true });
  }
});

test('what is no device', () => {
  assert.equal(lookupDevices('/dev/no-such-device').kind, 'missing');
  assert.equal(lookupDevices('/etc/passwd').kind, 'other');
  assert.equal(lookupDevices('/etc/passwd/x').kind, 'missing');
});

test('a directory with all below it, but for what is no device', { skip: needsRoot }, async () => {
  const dir = await mkdtemp(join(tmpdir(), 'gantry-devices-'));
  try {
    for (const below of ['a', 'shm', 'pts']) await mkdir(join(dir, below));
    await run('mknod', ['-m', '640', join(dir, 'a', 'disk'), 'b', '259', '1048575']);
    for (const path of ['one', 'shm/two', 'pts/0']) await run('mknod', [join(dir, path), 'c', '1', '3']);
    await writeFile(join(dir, 'file'), '');
    await symlink('one', join(dir, 'link'));
    const found = lookupDevices(dir);
    const devices = found.kind === 'directory' ? found.devices : [];
    assert.deepEqual(
      devices.map(({ path }) => path),
      [join(dir, 'a', 'disk'), join(dir, 'one')],
    );
    const [disk] = devices;
    assert.deepEqual([disk?.type, disk?.major, disk?.minor, disk?.mode], ['b', 259, 1048575, 0o640]);
  } finally {
    await rm(dir, { recursive: true });
  }
});

test('numbers of devices as the kernel packs them', () => {
  assert.deepEqual(deviceNumber(0x103), { major: 1, minor: 3 });
  assert.deepEqual(deviceNumber(0xfff003ff), { major: 3, minor: 0xfffff });
  assert.deepEqual(deviceNumber(10 * 256 + 229), { major: 10, minor: 229 });
});
