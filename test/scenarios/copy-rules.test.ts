import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { importBusybox } from '../support/both.ts';
import { create } from '../support/containers.ts';
import { startDockerd } from '../support/dockerd.ts';
import { startGantry } from '../support/gantry.ts';
import { command, type Target } from '../support/target.ts';

// `docker cp` in all combinations of what is copied to where, on both engines, which must come to the same.

/** What both sides begin with: the same kinds of files, here and in the container. */
const FILES = `mkdir -p d/sub e; echo F >f; chown 12:34 f; chmod 640 f; echo in >d/inner; echo x >d/sub/deep
ln -s f lf; ln -s d ld; ln -s /w/e le; ln -s nowhere dang; ln -s /w/d/sub abs`;

const IN: readonly string[] = [
  ...[
    '/w',
    '/w/',
    '/w/new',
    '/w/new2/',
    '/w/d',
    '/w/f',
    '/w/f/',
    '/w/lf',
    '/w/ld',
    '/w/ld/',
    '/w/le/x',
    '/w/dang',
    '/w/no/x',
    '/w/abs',
    'rel',
    '../up',
    '/vol',
    '/ro',
  ].map((to) => `f cc:${to}`),
  ...['/w', '/w/new3', '/w/new4/', '/w/e', '/w/f', '/w/ld', '/w/le', '/w/dang', '/w/no/x', '/ro/x'].map(
    (to) => `d cc:${to}`,
  ),
  ...['/w/e', '/w/new5', '/w/f'].map((to) => `d/. cc:${to}`),
  'lf cc:/w/lf2',
  '-L lf cc:/w/lf3',
  'ld cc:/w/ld2',
  '-L ld cc:/w/ld3',
  'dang cc:/w/dang2',
  '-L dang cc:/w/dang3',
  'nope cc:/w',
  '-a f cc:/w/kept',
  '-a d cc:/w/kept-d',
];

const OUT: readonly string[] = [
  ...['.', 'o1', 'o2/', 'e', 'f', 'no/x'].map((to) => `cc:/w/f ${to}`),
  ...['.', 'o3', 'e', 'f'].map((to) => `cc:/w/d ${to}`),
  'cc:/w/lf .',
  '-L cc:/w/lf o4',
  'cc:/w/ld .',
  '-L cc:/w/ld o5',
  'cc:/w/ld/ o6',
  'cc:/w/ld/. o7',
  'cc:/w/d/. o8',
  'cc:/w/dang .',
  '-L cc:/w/dang o9',
  'cc:/nope .',
  'cc:/vol o10',
  'cc:/w/abs o11',
  '-L cc:/w/abs o12',
  '-L cc:/w/le/. o13',
  '-a cc:/w/f o14',
  'cc:w/f o15',
  'cc:../w/f o16',
  '-a cc:/w/d o17',
];

describe('cp in all combinations', () => {
  const stack = new AsyncDisposableStack();
  let targets: readonly Target[];
  before(async () => {
    targets = await Promise.all([startGantry(), startDockerd()].map(async (starting) => stack.use(await starting)));
    await Promise.all(targets.map(importBusybox));
  });
  after(() => stack.disposeAsync());

  /** Types every command, and gives what each said, and what was there on both sides in the end. */
  async function typed(target: Target): Promise<string[]> {
    const dir = await mkdtemp(join(tmpdir(), 'rules-'));
    try {
      const here = join(dir, 'w');
      await Promise.all([here, join(dir, 'ro')].map((path) => mkdir(path)));
      execFileSync('sh', ['-ec', FILES], { cwd: here });
      await using c = await create(target, 'exec sleep 1000', {
        HostConfig: { Binds: ['/vol', `${join(dir, 'ro')}:/ro:ro`] },
      });
      await c.start();
      const docker = (args: readonly string[], input: string | Buffer = '') =>
        command(
          'sh',
          ['-c', 'cd "$1"; shift; exec docker "$@"', 'sh', here, '-H', `unix://${target.socket}`, ...args],
          { input },
        );
      assert.equal((await docker(['cp', '-', `${c.id}:/`], execFileSync('tar', ['-C', dir, '-c', 'w']))).code, 0);
      const said: string[] = [];
      for (const line of [...IN, ...OUT]) {
        const { code, stdout, stderr } = await docker(['cp', ...line.replace('cc:', `${c.id}:`).split(' ')]);
        // What the client says of a pipe that it closed itself depends on the moment; the path of a layer on the engine.
        const plain = stderr
          .replace(/^time=.*\n/gm, '')
          .replace(/lstat \/\S*merged/, 'lstat ')
          .replaceAll(dir, 'DIR');
        said.push(`${line}: ${code} ${stdout}${plain.replaceAll(c.id, 'cc')}`);
      }
      const there = await target.docker(['export', '-o', join(dir, 'export.tar'), c.id]);
      assert.equal(there.code, 0, there.stderr);
      const listing = ['--numeric-owner', '--sort=name'];
      const inside = execFileSync('tar', ['-tvf', join(dir, 'export.tar'), '--numeric-owner'], { encoding: 'utf8' });
      const outside = execFileSync('sh', ['-c', 'tar -c "$@" . | tar -tv --numeric-owner', 'sh', ...listing], {
        cwd: here,
        encoding: 'utf8',
      });
      const facts = (text: string) =>
        text.split('\n').map((line) => line.replace(/ +/g, ' ').replace(/\d{4}-\d\d-\d\d \d\d:\d\d /, ''));
      const own = facts(inside)
        .filter((line) => / (?:w|up|rel)(?:\/| |$)/.test(line))
        .toSorted();
      return [...said, ...own, ...facts(outside)];
    } finally {
      await rm(dir, { recursive: true });
    }
  }

  test('comes to the same on both engines', async () => {
    const [own, docker] = await Promise.all(targets.map(typed));
    assert.deepEqual(own, docker);
    const codes = own?.flatMap((line) => /^[^:]*:[^:]*: (\d) /.exec(line)?.[1] ?? []) ?? [];
    assert.ok(
      codes.filter((code) => code === '0').length > 40 && codes.filter((code) => code === '1').length > 10,
      codes.join(),
    );
  });

  test('reaches the tmpfs of a container that runs', async () => {
    const [engine] = targets;
    assert.ok(engine?.name === 'gantry', 'dockerd does not see them');
    await using c = await create(engine, 'echo inside >/scratch/own; exec sleep 1000', {
      HostConfig: { Tmpfs: { '/scratch': 'mode=1770' } },
    });
    await c.start();
    const cp = (...args: string[]) => engine.docker(['cp', ...args]);
    assert.equal((await cp('/etc/hostname', `${c.id}:/scratch/in`)).code, 0);
    const listed = await engine.docker(['exec', c.id, 'ls', '/scratch']);
    assert.equal(listed.stdout, 'in\nown\n');
    assert.match((await cp(`${c.id}:/scratch/own`, '-')).stdout, /inside/);
  });
});
