import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { isCdiName } from '../../spec/cdi.ts';
import { parseCdiSpec, readCdiDevices } from './cdi-files.ts';

const root = mkdtempSync(join(tmpdir(), 'gantry-cdi-'));
after(() => rmSync(root, { recursive: true }));

/** A directory with these files. */
function dirOf(name: string, files: Record<string, string | object>): string {
  const dir = join(root, name);
  mkdirSync(dir);
  for (const [file, content] of Object.entries(files)) {
    writeFileSync(join(dir, file), typeof content === 'string' ? content : JSON.stringify(content));
  }
  return dir;
}

const specOf = (env: string, name = 'one') => ({
  cdiVersion: '0.6.0',
  kind: 'vendor.com/class',
  devices: [{ name, containerEdits: { env: [env] } }],
});

test('JSON and YAML alike', async () => {
  const yaml = [
    'cdiVersion: "0.5.0"',
    'kind: vendor.com/net',
    'containerEdits:',
    '  env: [ALL=1]',
    'devices:',
    '- name: eth0',
    '  containerEdits:',
    '    deviceNodes:',
    '    - path: /dev/eth0',
    '      fileMode: 0o644',
  ].join('\n');
  const dir = dirOf('both', { 'a.json': specOf('A=1'), 'b.yaml': yaml, 'c.yml': specOf('C=1', 'three'), 'd.txt': 'x' });
  const { byName, errors } = await readCdiDevices([dir, join(root, 'missing')]);
  assert.deepEqual(errors, []);
  assert.deepEqual([...byName.keys()], ['vendor.com/class=one', 'vendor.com/net=eth0', 'vendor.com/class=three']);
  const eth0 = byName.get('vendor.com/net=eth0');
  assert.deepEqual(eth0?.common.env, ['ALL=1']);
  assert.equal(eth0?.edits.deviceNodes[0]?.fileMode, 0o644);
});

test('a later directory wins; two files of one directory contradict each other', async () => {
  const low = dirOf('low', { 'a.json': specOf('A=low'), 'b.json': specOf('B=low', 'two') });
  const high = dirOf('high', {
    'a.json': specOf('A=high'),
    'x.json': specOf('X=1', 'two'),
    'y.json': specOf('Y=1', 'two'),
  });
  const { byName, errors } = await readCdiDevices([low, high]);
  assert.deepEqual(byName.get('vendor.com/class=one')?.edits.env, ['A=high']);
  assert.equal(byName.has('vendor.com/class=two'), false);
  assert.deepEqual(errors, [`conflicting device vendor.com/class=two in ${high}`]);
});

test('hostile files are told of and spoil nothing', async () => {
  const bomb = `a: &a [x,x,x,x,x,x,x,x,x]\n${'bcdefghij'
    .split('')
    .map((key, at) => `${key}: &${key} [${Array(9).fill(`*${'abcdefghi'[at]}`).join(',')}]`)
    .join('\n')}`;
  const dir = dirOf('hostile', {
    'a.json': specOf('A=1'),
    'bomb.yaml': bomb,
    'deep.json': '['.repeat(100_000),
    'empty.json': '',
    'proto.json': '{"__proto__":{"x":1},"cdiVersion":"0.6.0"}',
    'garbage.yaml': '\u0000\u0001: [',
  });
  execFileSync('mkfifo', [join(dir, 'fifo.json')]);
  mkdirSync(join(dir, 'dir.json'));
  const { byName, errors } = await readCdiDevices([dir]);
  assert.deepEqual([...byName.keys()], ['vendor.com/class=one']);
  const names = errors.map((error) => /CDI Spec \S*\/(\S+): /.exec(error)?.[1]);
  assert.deepEqual(names, [
    'bomb.yaml',
    'deep.json',
    'dir.json',
    'empty.json',
    'fifo.json',
    'garbage.yaml',
    'proto.json',
  ]);
});

const REFUSED: readonly [change: object, message: RegExp][] = [
  [{ cdiVersion: '9.0.0' }, /^cdiVersion: is not a version/],
  [{ kind: 'class' }, /^kind: must be VENDOR\/CLASS/],
  [{ kind: 'vendor.com/../x' }, /^kind: must be/],
  [{ devices: [] }, /^devices: there are no devices/],
  [{ devices: [{ name: 'a b' }] }, /^devices.0.name: is not the name/],
  [{ devices: [{ name: 'a' }, { name: 'a' }] }, /two devices have one name/],
  [{ unknown: 1 }, /^unknown: /],
  [{ containerEdits: { env: ['x'] } }, /^containerEdits.env.0: must be NAME=VALUE/],
  [{ containerEdits: { hooks: [{ hookName: 'later', path: '/x' }] } }, /^containerEdits.hooks.0.hookName: /],
  [{ containerEdits: { deviceNodes: [{ path: 'dev/x' }] } }, /^containerEdits.deviceNodes.0.path: must be an absolute/],
  [{ containerEdits: { deviceNodes: [{ path: '/dev/x', permissions: 'rwx' }] } }, /permissions: must be made of/],
  [{ containerEdits: { mounts: [{ hostPath: '/x' }] } }, /^containerEdits.mounts.0.containerPath: /],
  [{ containerEdits: { additionalGids: [-1] } }, /^containerEdits.additionalGids.0: /],
];

test('what the specification does not allow is refused by name', () => {
  for (const [change, message] of REFUSED) {
    const text = JSON.stringify({ ...specOf('A=1'), ...change });
    assert.throws(() => parseCdiSpec(text), { kind: 'invalid', message }, text);
  }
});

test('a qualified name', () => {
  for (const name of ['vendor.com/class=name', 'nvidia.com/gpu=all', 'a/b=0:1']) assert.ok(isCdiName(name), name);
  for (const name of ['/dev/null', '/dev/a=b', 'vendor.com/class', 'vendor/class=', '=x', 'a/b=/x']) {
    assert.equal(isCdiName(name), false, name);
  }
});
