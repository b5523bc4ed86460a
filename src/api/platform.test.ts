import assert from 'node:assert/strict';
import { arch } from 'node:process';
import { test } from 'node:test';
import { readPlatform } from './platform.ts';
import { readQuery } from './query.ts';

const read = (text: string) => readPlatform(readQuery(`platform=${encodeURIComponent(text)}`));

test('a platform is told whole, or by its system or architecture alone', () => {
  const here = arch === 'x64' ? 'amd64' : arch;
  assert.equal(read(''), undefined);
  assert.deepEqual(read('linux/arm64/v8'), { os: 'linux', architecture: 'arm64', variant: 'v8' });
  assert.deepEqual(read('Linux/X86_64'), { os: 'linux', architecture: 'amd64' });
  assert.deepEqual(read('linux'), { os: 'linux', architecture: here });
  assert.deepEqual(read('windows'), { os: 'windows', architecture: here });
  assert.deepEqual(read('aarch64'), { os: 'linux', architecture: 'arm64' });
});

test('what is none is refused as containerd refuses it', () => {
  const refused = (text: string, message: RegExp) => assert.throws(() => read(text), { kind: 'invalid', message });
  refused('a/b/c/d', /^"a\/b\/c\/d": cannot parse platform specifier: invalid argument$/);
  refused('linux/', /^"" is an invalid component of "linux\/": platform specifier component must match "/);
  refused(' ', /^" " is an invalid component of " ": /);
  refused('toaster', /^"toaster": unknown operating system or architecture: invalid argument$/);
});
