import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { configuredRuntime } from './configured-runtime.ts';

const dir = mkdtempSync(join(tmpdir(), 'gantry-configured-'));
after(() => rmSync(dir, { recursive: true }));
const dirs = { state: join(dir, 'state'), scripts: join(dir, 'scripts') };

test('arguments come before those of the caller, however they are written', async () => {
  const runtimeArgs = ['--flag', "it's", '$HOME `x`'];
  const { binary, root } = await configuredRuntime('mine', { path: '/bin/echo', runtimeArgs }, dirs);
  assert.equal(execFileSync(binary, ['run', 'a b']).toString(), "--flag it's $HOME `x` run a b\n");
  assert.equal(root, join(dirs.state, 'mine'));
});

test('a program alone stays as it is; the shim’s options name a program and a directory', async () => {
  assert.equal((await configuredRuntime('mine', { path: '/bin/true' }, dirs)).binary, '/bin/true');
  const runtimeType = 'io.containerd.runc.v2';
  const options = { BinaryName: '/bin/true', Root: '/run/mine' };
  assert.deepEqual(await configuredRuntime('mine', { runtimeType, options }, dirs), {
    binary: '/bin/true',
    root: '/run/mine',
  });
});

test('what makes no sense is refused', async () => {
  const runtimeType = 'io.containerd.runc.v2';
  const cases: [string, object, RegExp][] = [
    ['runc', { path: '/bin/true' }, /^runtime name 'runc' is reserved$/],
    ['x', {}, /^runtime x: either a runtimeType or a path must be configured$/],
    ['x', { path: '/bin/true', runtimeType }, /cannot configure both path and runtimeType/],
    ['x', { path: '/bin/true', options: { a: 1 } }, /options cannot be used with a path runtime/],
    ['x', { runtimeType, runtimeArgs: ['a'] }, /args cannot be used with a runtimeType runtime/],
    ['x', { runtimeType: 'io.containerd.kata.v2' }, /runtimeType io.containerd.kata.v2 is not supported/],
    [
      'x',
      { runtimeType, options: { BinaryName: '/bin/true', NoPivotRoot: true } },
      /option NoPivotRoot is not supported/,
    ],
    ['x', { path: '/nonexistent' }, /^runtime x: "\/nonexistent" is not an executable file$/],
  ];
  for (const [name, wish, message] of cases) {
    await assert.rejects(configuredRuntime(name, wish, dirs), { kind: 'invalid', message }, JSON.stringify(wish));
  }
});
