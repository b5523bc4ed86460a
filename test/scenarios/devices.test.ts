import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { importBusybox, onBoth } from '../support/both.ts';
import { create } from '../support/containers.ts';
import { PROGRAM, startGantry, type TestEngine } from '../support/gantry.ts';
import { command } from '../support/target.ts';

const map = (host: string, ctr = host, access = 'rwm') => ({
  Devices: [{ PathOnHost: host, PathInContainer: ctr, CgroupPermissions: access }],
});
const ask = (request: object) => ({ DeviceRequests: [request] });

/** What cannot be had, told at the start of the container. */
const REFUSED: readonly [hostConfig: object, message: string][] = [
  [
    map('/dev/nope'),
    'error gathering device information while adding custom device "/dev/nope": no such file or directory',
  ],
  [
    map('/etc/passwd'),
    'error gathering device information while adding custom device "/etc/passwd": not a device node',
  ],
  [map('/etc'), 'error gathering device information while adding custom device "/etc": not a device node'],
  [map(''), 'error gathering device information while adding custom device "": no such file or directory'],
  [ask({ Count: -1, Capabilities: [['gpu']] }), 'could not select device driver "" with capabilities: [[gpu]]'],
  [
    ask({ Driver: 'acme', Capabilities: [['gpu', 'a'], ['b']] }),
    'could not select device driver "acme" with capabilities: [[gpu a] [b]]',
  ],
  [ask({}), 'could not select device driver "" with capabilities: []'],
];

onBoth('devices', {
  'what is not there is refused at the start': async (target) => {
    for (const [hostConfig, message] of REFUSED) {
      await using made = await create(target, 'true', { HostConfig: hostConfig });
      const reply = await target.api('POST', `${made.path}/start`);
      // dockerd 20.10 takes a user's mistake for one of its own.
      assert.deepEqual([reply.status, reply.json()], [target.name === 'dockerd' ? 500 : 400, { message }]);
    }
  },

  'a GPU without a driver for it is refused by the command line too': async (target) => {
    const { code, stderr } = await target.docker(['run', '--rm', '--gpus', 'all', 'busybox', 'true']);
    assert.equal(code, 125);
    assert.match(stderr, /could not select device driver "" with capabilities: \[\[gpu\]\]/u);
  },

  'a link is followed, a directory brings what is below it': async (target) => {
    const look = async (args: readonly string[], script: string) => {
      const { code, stdout, stderr } = await target.docker(['run', '--rm', ...args, 'busybox', 'sh', '-c', script]);
      assert.equal(code, 0, stderr);
      return stdout;
    };
    await using dir = await devices();
    assert.equal(
      await look(['--device', `${dir.path}/link:/dev/mine:r`], 'stat -c "%F %t:%T" /dev/mine'),
      'character special file 1:7\n',
    );
    const tree = await look(['--device', `${dir.path}/tree:/dev/tree`], 'cd /dev/tree; find . -type c | sort');
    assert.equal(tree, './deep/full\n./null\n');
    const limited = await look(['--device', `${dir.path}/fuse:/dev/mine:r`], '(: >/dev/mine) 2>&1 | sed "s/.*: //"');
    assert.equal(limited, 'Operation not permitted\n');
  },
});

/** A directory of the host with devices and a link to one. */
async function devices(): Promise<AsyncDisposable & { path: string }> {
  const path = await mkdtemp(join(tmpdir(), 'gantry-devices-'));
  const made = await command('sh', [
    '-ec',
    'cd "$1"; mkdir -p tree/deep; mknod full c 1 7; mknod fuse c 10 229; mknod tree/null c 1 3; mknod tree/deep/full c 1 7; ln -s full link; echo >tree/file',
    'sh',
    path,
  ]);
  assert.equal(made.code, 0, made.stderr);
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true }) };
}

// dockerd 20.10 does not know CDI, so what is expected is what the specification and today's Docker say.
describe('devices of a CDI specification', () => {
  const stack = new AsyncDisposableStack();
  let engine: TestEngine;
  let dir: string;

  before(async () => {
    dir = await mkdtemp(join(tmpdir(), 'gantry-cdi-'));
    stack.defer(() => rm(dir, { recursive: true }));
    await writeFile(join(dir, 'tool'), 'of the vendor');
    await writeFile(
      join(dir, 'vendor.yaml'),
      `cdiVersion: "0.6.0"
kind: vendor.com/class
containerEdits:
  env: [VENDOR=acme]
devices:
- name: one
  containerEdits:
    env: [DEVICE=one]
    additionalGids: [4321]
    deviceNodes: [{path: /dev/one, type: c, major: 10, minor: 229, permissions: r}]
    mounts: [{hostPath: ${dir}/tool, containerPath: /opt/tool, options: [ro, nosuid]}]
    hooks: [{hookName: createRuntime, path: /bin/sh, args: [sh, -c, "echo hooked >${dir}/hooked"]}]
`,
    );
    await writeFile(join(dir, 'broken.json'), '{');
    engine = stack.use(await startGantry(['--cdi-spec-dir', '/nonexistent', '--cdi-spec-dir', dir]));
    await importBusybox(engine);
  });
  after(() => stack.disposeAsync());

  const SCRIPT =
    'echo $VENDOR $DEVICE; id -G; stat -c %F /dev/one; cat /opt/tool; (echo x >/opt/tool) 2>&1; (: >/dev/one) 2>&1';

  const sees = (stdout: string) => {
    assert.match(stdout, /^acme one\n[0-9 ]+ 4321\ncharacter special file\nof the vendor/u);
    assert.match(stdout, /\/opt\/tool: Read-only file system\n.*\/dev\/one: Operation not permitted/u);
  };

  test('are given by both command lines', async () => {
    const args = ['run', '--rm', '--device', 'vendor.com/class=one', 'busybox', 'sh', '-c', SCRIPT];
    const docker = await engine.docker(args);
    sees(docker.stdout);
    assert.equal((await command('cat', [join(dir, 'hooked')])).stdout, 'hooked\n');
    const own = await command(process.execPath, [PROGRAM, '-H', `unix://${engine.socket}`, ...args]);
    sees(own.stdout);
  });

  test('that are unknown are refused', async () => {
    const { code, stderr } = await engine.docker(['run', '--rm', '--device', 'vendor.com/class=two', 'busybox']);
    assert.equal(code, 125);
    assert.match(stderr, /CDI device injection failed: unresolvable CDI devices vendor\.com\/class=two/u);
    assert.match(engine.log(), /failed to load CDI Spec \S+broken\.json/u);
  });

  test('are told in the information', async () => {
    const info = (await engine.api('GET', '/v1.51/info')).json();
    assert.deepEqual(info['CDISpecDirs'], ['/nonexistent', dir]);
    assert.deepEqual(info['DiscoveredDevices'], [{ Source: 'cdi', ID: 'vendor.com/class=one' }]);
  });
});
