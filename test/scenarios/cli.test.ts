import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { importBusybox } from '../support/both.ts';
import { busyboxArchive } from '../support/busybox-archive.ts';
import { startGantry, type TestEngine } from '../support/gantry.ts';
import { type CommandOptions, type CommandResult, command } from '../support/target.ts';

// The command line as people type it, against Gantry's own engine, and beside docker's where both have the command.

const PROGRAM = join(import.meta.dirname, '..', '..', 'dist', 'gantry.cjs');
const stack = new AsyncDisposableStack();
let engine: TestEngine;
let dir: string;

function gantry(args: readonly string[], options?: CommandOptions): Promise<CommandResult> {
  return command(process.execPath, ['--', PROGRAM, '-H', `unix://${engine.socket}`, ...args], options);
}

/** Runs a command that must succeed. @returns what it printed. */
async function ok(...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await gantry(args);
  assert.equal(code, 0, `gantry ${args.join(' ')}: ${stderr}`);
  return stdout;
}

describe('the command line of its own', () => {
  before(async () => {
    dir = await mkdtemp(join(tmpdir(), 'gantry-cli-'));
    stack.defer(() => rm(dir, { recursive: true }));
    engine = stack.use(await startGantry());
    await importBusybox(engine);
  });
  after(() => stack.disposeAsync());

  test('the first command of the README', async () => {
    assert.equal(await ok('run', '--rm', 'builtin/busybox', 'echo', 'hello from gantry'), 'hello from gantry\n');
  });

  test('run gives the exit code of the command, or says why there was none', async () => {
    assert.equal((await gantry(['run', '--rm', 'busybox', 'sh', '-c', 'exit 42'])).code, 42);
    assert.equal((await gantry(['run', '--rm', 'busybox', 'nosuch'])).code, 127);
    assert.equal((await gantry(['run', '--rm', 'busybox', '/etc'])).code, 126);
    const wrong = await gantry(['run', '--nosuch', 'busybox']);
    assert.equal(wrong.code, 125);
    assert.match(wrong.stderr, /unknown flag: --nosuch/);
    assert.equal(await ok('ps', '-aq'), '');
  });

  test('run -i passes input on, bundled flags and flags of the command are told apart', async () => {
    const { code, stdout } = await gantry(['run', '-i', '--rm', 'busybox', 'wc', '-c'], { input: '12345' });
    assert.deepEqual({ code, stdout: stdout.trim() }, { code: 0, stdout: '5' });
    const bundled = await gantry(['run', '-ie', 'A=1', '-eB=2', '--rm', 'busybox', 'sh', '-c', 'echo $A$B'], {
      input: '',
    });
    assert.equal(bundled.stdout, '12\n');
  });

  test('a container from its start to its end', async () => {
    const id = (
      await ok('run', '-d', '--name', 'web', '-l', 'tier=front', '-p', '127.0.0.1::8080', 'busybox', 'sh', '-c', SERVE)
    ).trim();
    assert.match(id, /^[0-9a-f]{64}$/);
    const table = await ok('ps');
    assert.match(table, /^CONTAINER ID {3}IMAGE {5}COMMAND {18}CREATED/);
    assert.match(table, new RegExp(`${id.slice(0, 12)} +busybox +"sh -c .*127\\.0\\.0\\.1:\\d+->8080/tcp +web`));
    assert.match(await ok('port', 'web'), /^8080\/tcp -> 127\.0\.0\.1:\d+\n$/);
    assert.equal(
      await ok('exec', '-w', '/tmp', '-e', 'X=y', '-u', '1000', 'web', 'sh', '-c', 'pwd; id -u; echo $X'),
      '/tmp\n1000\ny\n',
    );
    assert.equal((await gantry(['exec', 'web', 'false'])).code, 1);
    assert.match(await ok('top', 'web'), /UID +PID[\s\S]*sleep 1000/);
    assert.equal(
      await ok('inspect', '-f', '{{.State.Status}} {{index .Config.Labels "tier"}}', 'web'),
      'running front\n',
    );
    assert.equal(await ok('logs', 'web'), 'ready\n');
    assert.match(await ok('logs', '-t', '--tail', '1', 'web'), /^\d{4}-\d\d-\d\dT[\d:.]+Z ready\n$/);
    assert.equal(await ok('rename', 'web', 'site'), '');
    assert.equal(await ok('restart', '-t', '0', 'site'), 'site\n');
    assert.equal(await ok('pause', 'site'), 'site\n');
    assert.equal(await ok('ps', '--format', '{{.Names}}', '--filter', 'status=paused'), 'site\n');
    assert.equal(await ok('unpause', 'site'), 'site\n');
    assert.match((await gantry(['rm', 'site'])).stderr, /You cannot remove a running container/);
    assert.equal(await ok('stop', '-t', '0', 'site'), 'site\n');
    assert.equal(await ok('wait', 'site'), '137\n');
    assert.match(await ok('ps', '-a'), /Exited \(137\)/);
    assert.equal(await ok('rm', 'site'), 'site\n');
    assert.match((await gantry(['inspect', 'site'])).stderr, /no such object: site/i);
  });

  test('a created container is started attached, and killed by a signal', async () => {
    await ok('create', '--name', 'once', 'busybox', 'echo', 'now');
    assert.equal(await ok('start', '-a', 'once'), 'now\n');
    await ok('run', '-d', '--name', 'killed', 'busybox', 'sleep', '1000');
    assert.equal(await ok('kill', '-s', 'KILL', 'killed'), 'killed\n');
    assert.equal(await ok('wait', 'killed'), '137\n');
    assert.match(await ok('container', 'prune', '-f'), /Deleted Containers:\n[0-9a-f]{64}\n[0-9a-f]{64}\n/);
  });

  test('images come and go', async () => {
    const archive = join(dir, 'images.tar');
    assert.equal(await ok('tag', 'busybox', 'mine/box:1'), '');
    assert.equal(await ok('images', '--format', '{{.Repository}}:{{.Tag}}', 'mine/box'), 'mine/box:1\n');
    await ok('save', '-o', archive, 'mine/box:1');
    assert.equal(await ok('rmi', 'mine/box:1'), 'Untagged: mine/box:1\n');
    assert.equal(await ok('load', '-q', '-i', archive), 'Loaded image: mine/box:1\n');
    assert.match(await ok('history', 'mine/box:1'), /^IMAGE +CREATED +CREATED BY +SIZE +COMMENT\n/);
    const imported = await gantry(['import', '-c', 'CMD ["echo", "imported"]', '-', 'mine/made'], {
      input: await busyboxArchive(),
    });
    assert.match(imported.stdout, /^sha256:[0-9a-f]{64}\n$/);
    assert.equal(await ok('run', '--rm', 'mine/made'), 'imported\n');
    assert.match(await ok('image', 'rm', 'mine/made'), /^Untagged: mine\/made:latest\nDeleted: sha256:/);
    assert.ok((await readFile(archive)).length > 1 << 20);
    // Docker prints several names of one image in any order, which the comparison below could not follow.
    await ok('image', 'rm', 'mine/box:1');
  });

  test('events tell what happened', async () => {
    const since = String(Math.floor(Date.now() / 1000));
    await ok('run', '--rm', '--name', 'noted', 'busybox', 'true');
    const until = String(Math.floor(Date.now() / 1000) + 1);
    const filters = ['--filter', 'container=noted', '--filter', 'type=container'];
    const printed = await ok('events', '--since', since, '--until', until, '--format', '{{.Action}}', ...filters);
    assert.deepEqual(printed.trim().split('\n'), ['create', 'attach', 'start', 'die', 'destroy']);
  });

  test('info and version tell whose engine it is', async () => {
    assert.match(await ok('version'), /Client:[\s\S]*Server: Gantry/);
    assert.match(await ok('info'), /Containers: \d+[\s\S]*Cgroup Version: [12]/);
    assert.match((await gantry(['--version'])).stdout, /^Gantry version/);
  });

  test('help and mistakes', async () => {
    assert.match(await ok('--help'), /Usage: {2}gantry \[OPTIONS\] COMMAND[\s\S]*Common Commands:/);
    assert.match(await ok('run', '--help'), /Usage: {2}gantry run \[OPTIONS\] IMAGE \[COMMAND\] \[ARG\.\.\.\]/);
    assert.match(await ok('daemon', '--help'), /Usage: {2}gantry daemon/);
    const unknown = await gantry(['nosuch']);
    assert.notEqual(unknown.code, 0);
    assert.match(unknown.stderr, /nosuch/);
    const few = await gantry(['stop']);
    assert.equal(few.code, 1);
    assert.match(few.stderr, /requires at least 1 argument/);
    const away = await command(process.execPath, ['--', PROGRAM, '-H', `unix://${dir}/none.sock`, 'ps']);
    assert.equal(away.code, 1);
    assert.match(away.stderr, /Cannot connect to the Docker daemon at unix:\/\/.*none\.sock/);
    assert.equal(existsSync(join(dir, 'none.sock')), false, 'an engine that was named is not started');
  });

  test('prints what docker prints', async (t) => {
    const version = (await command('docker', ['--version'])).stdout;
    if (!/ version 28\./.test(version)) return t.skip(`docker 28 is not installed, but: ${version.trim()}`);
    await ok('run', '-d', '--name', 'same', '-l', 'a=b', '-p', '127.0.0.1::80', 'busybox', 'sleep', '1000');
    for (const words of COMPARED) {
      const [theirs, ours] = await bothPrint(words);
      assert.deepEqual(ours, theirs, words.join(' '));
    }
  });
});

/** What the two command lines print. Once more when they differ: "9 seconds ago" may be ten at the second look. */
async function bothPrint(words: readonly string[], again = true): Promise<[CommandResult, CommandResult]> {
  const renamed = ({ stderr, ...rest }: CommandResult) => ({
    ...rest,
    stderr: stderr.replaceAll('docker', 'gantry').replaceAll('Docker', 'Gantry'),
  });
  const theirs = renamed(await engine.docker(words));
  const ours = renamed(await gantry(words));
  return again && JSON.stringify(theirs) !== JSON.stringify(ours) ? bothPrint(words, false) : [theirs, ours];
}

const SERVE = 'echo ready; exec sleep 1000';

const COMPARED: readonly (readonly string[])[] = [
  ['ps', '--no-trunc'],
  ['ps', '-a', '--size', '--format', 'table {{.ID}}\t{{.Ports}}\t{{.Labels}}\t{{.Networks}}\t{{.Mounts}}'],
  ['ps', '--format', '{{json .}}'],
  ['ps', '--filter', 'nosuch=1'],
  ['images'],
  ['images', '--digests', '--no-trunc'],
  ['images', '--format', '{{json .}}', 'busybox'],
  ['history', '--no-trunc', 'busybox'],
  ['inspect', 'same'],
  ['inspect', '--type', 'image', 'busybox'],
  ['inspect', '-f', '{{json .HostConfig}}', 'same'],
  ['port', 'same'],
  ['port', 'same', '81'],
  ['logs', 'nosuch'],
  ['exec', 'same', 'sh', '-c', 'echo out; echo err >&2; exit 3'],
  ['exec', 'same', 'nosuch'],
  ['exec', '-u', 'nosuch', 'same', 'true'],
  ['run', '--rm', 'busybox', 'sh', '-c', 'exit 7'],
  ['run', '--rm', '-v', 'a:b:c:d', 'busybox'],
  ['run', '--rm', '-p', '1:2:3:4:5', 'busybox'],
  ['run', '-m', 'foo', 'busybox'],
  ['run', '--nosuch', 'busybox'],
  ['run'],
  ['rm', 'nosuch', 'nosuch2'],
  ['rm', 'same'],
  ['stop', 'nosuch'],
  ['kill', '-s', 'FOO', 'same'],
  ['tag', 'busybox', 'Foo'],
  ['tag', 'nosuch', 'foo'],
  ['rmi', 'nosuch'],
  ['rmi', 'busybox'],
  ['save', 'nosuch'],
  ['rename', 'same', 'same'],
  ['system', 'df'],
  ['system', 'df', '--verbose'],
  ['system', 'df', '--verbose', '--format', 'json'],
  ['system', 'df', '--format', '{{.Type}} {{.TotalCount}} {{.Active}} {{.Size}} {{.Reclaimable}}'],
  ['system', 'prune'],
  ['system', 'prune', '--all', '--volumes', '--filter', 'label=x'],
  ['system', 'prune', '--volumes', '--filter', 'until=1h'],
  ['system', 'prune', '--force', '--filter', 'nosuch=1'],
  ['system', 'prune', '--force', '--filter', 'label=nosuch'],
  ['system', 'nosuch'],
  ['container', 'ls', '-q'],
  ['image', 'ls', '-q'],
];
