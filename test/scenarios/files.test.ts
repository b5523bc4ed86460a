import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { archiveOf } from '../../src/util/tar/tar-fixture.ts';
import { onBoth } from '../support/both.ts';
import { create, eventually, type Made, run } from '../support/containers.ts';
import { actionsOf } from '../support/events-of.ts';
import type { Target } from '../support/target.ts';

/** Files of every kind, ready when `/ready` is there. */
const FILES = [
  'mkdir -p /w/d',
  'echo hi >/w/f',
  'ln /w/f /w/hard',
  'ln -s /w/d /w/l',
  'ln -s nowhere /w/dang',
  'ln -s ../../../etc /w/up',
  'mkfifo /w/p',
  'touch /ready',
].join('; ');

interface Answer {
  status: number;
  body: Buffer;
  stat: { name: string; size: number; mode: number; linkTarget: string } | undefined;
}

/** A call of the archive endpoint, with bytes both ways. */
function archive(target: Target, method: string, c: { path: string }, query: string, body?: Buffer): Promise<Answer> {
  const { promise, resolve, reject } = Promise.withResolvers<Answer>();
  const headers = body === undefined ? {} : { 'Content-Type': 'application/x-tar', 'Content-Length': body.length };
  const path = `${c.path}/archive?${query}`;
  const sent = request({ socketPath: target.socket, method, path, headers }, (response) => {
    const chunks: Buffer[] = [];
    response.on('data', (chunk: Buffer) => chunks.push(chunk)).on('error', reject);
    const told = response.headers['x-docker-container-path-stat'];
    const stat = typeof told === 'string' ? JSON.parse(Buffer.from(told, 'base64').toString()) : undefined;
    response.on('end', () => resolve({ status: response.statusCode ?? 0, body: Buffer.concat(chunks), stat }));
  });
  sent.on('error', reject);
  sent.end(body);
  return promise;
}

const at = (path: string): string => `path=${encodeURIComponent(path)}`;

async function prepared(target: Target, body: object = {}): Promise<Made> {
  const c = await run(target, `${FILES}; exec sleep 1000`, body);
  await eventually('the files', async () => (await archive(target, 'HEAD', c, at('/ready'))).status === 200);
  return c;
}

/** Names and kinds of an archive's members. */
function members(body: Buffer): string[] {
  const text = execFileSync('tar', ['-tvPf', '-', '--numeric-owner'], { input: body }).toString();
  return text.split('\n').flatMap((line) => (line === '' ? [] : [`${line[0]} ${line.replace(/^(\S+\s+){5}/, '')}`]));
}

onBoth('files of containers', {
  'a path is told as it is': async (target) => {
    await using c = await prepared(target);
    const cases: [path: string, name: string, mode: number, linkTarget: string][] = [
      ['/', '/', 2 ** 31 + 0o755, ''],
      ['/w', 'w', 2 ** 31 + 0o755, ''],
      ['/w/.', '.', 2 ** 31 + 0o755, ''],
      ['/w/l', 'l', 2 ** 27 + 0o777, '/w/d'],
      ['/w/l/', 'l', 2 ** 31 + 0o755, ''],
      ['/w/l/.', '.', 2 ** 31 + 0o755, ''],
      ['/w/dang', 'dang', 2 ** 27 + 0o777, '/w/nowhere'],
      ['/w/up', 'up', 2 ** 27 + 0o777, '/etc'],
      ['../../w', 'w', 2 ** 31 + 0o755, ''],
      ['w/f', 'f', 0o644, ''],
      ['/w/p', 'p', 2 ** 25 + 0o644, ''],
    ];
    for (const [path, name, mode, linkTarget] of cases) {
      const { stat } = await archive(target, 'HEAD', c, at(path));
      assert.deepEqual([stat?.name, stat?.mode, stat?.linkTarget], [name, mode, linkTarget], path);
    }
  },
  'what is not there is an error': async (target) => {
    await using c = await prepared(target);
    const cases: [path: string, status: number, message: RegExp][] = [
      ['/nope', 404, new RegExp(`^Could not find the file /nope in container ${c.id}$`)],
      ['/w/f/x', 500, /not a directory$/],
      ['/w/f/', 500, /not a directory$/],
      ['', 400, /^bad parameter: path ?cannot be empty$/],
    ];
    for (const [path, status, message] of cases) {
      const got = await archive(target, 'GET', c, at(path));
      assert.equal(got.status, status, path);
      assert.match((JSON.parse(got.body.toString()) as { message: string }).message, message);
      assert.equal((await archive(target, 'HEAD', c, at(path))).status, status, path);
    }
    assert.equal((await archive(target, 'GET', { path: '/containers/nope' }, at('/'))).status, 404);
  },
  'an archive begins with the last part of the path': async (target) => {
    await using c = await prepared(target);
    const names = members((await archive(target, 'GET', c, at('/w'))).body);
    assert.deepEqual(
      names.map((name) => name.replace(/^\S /, '')),
      ['w/', 'w/d/', 'w/dang -> nowhere', 'w/f', 'w/hard link to w/f', 'w/l -> /w/d', 'w/p', 'w/up -> ../../../etc'],
    );
    for (const [path, first] of [
      ['/w/.', 'd ./'],
      ['/w/l', 'l l -> /w/d'],
      ['/w/l/', 'd l/'],
      ['/w/f', '- f'],
      ['/', 'd /'],
    ] as const) {
      assert.equal(members((await archive(target, 'GET', c, at(path))).body)[0], first, path);
    }
  },
  'files go in and out of running, paused, stopped and new containers': async (target) => {
    const dir = await mkdtemp(join(tmpdir(), 'files-'));
    try {
      await using c = await create(target, 'exec sleep 1000', { HostConfig: { Binds: [`${dir}:/bound`] } });
      const states: [string, () => Promise<unknown>][] = [
        ['new', async () => {}],
        ['running', () => c.start()],
        ['paused', () => target.api('POST', `${c.path}/pause`)],
        ['stopped', () => target.api('POST', `${c.path}/kill`)],
      ];
      for (const [state, enter] of states) {
        await enter();
        for (const place of ['/', '/bound']) {
          const sent = archiveOf([{ name: `from-${state}`, data: state, mode: 0o640, uid: 3, gid: 4 }]);
          assert.equal((await archive(target, 'PUT', c, at(place), sent)).status, 200, `${state} ${place}`);
          const { status, body } = await archive(target, 'GET', c, at(`${place}/from-${state}`));
          assert.equal(status, 200);
          const listed = execFileSync('tar', ['-tvf', '-', '--numeric-owner'], { input: body }).toString();
          assert.match(listed, /^-rw-r----- 3\/4 /);
          assert.equal(execFileSync('tar', ['-xOf', '-'], { input: body }).toString(), state);
        }
        assert.equal(await readFile(join(dir, `from-${state}`), 'utf8'), state, 'a bind mount is written through');
      }
    } finally {
      await rm(dir, { recursive: true });
    }
  },
  'what is unpacked keeps what it is': async (target) => {
    await using c = await run(target, 'exec sleep 1000');
    const capability = Buffer.from('AQAAAgAgAAAAAAAAAAAAAAAAAAA=', 'base64');
    const sent = archiveOf([
      { name: 'in/', type: 'directory', mode: 0o1751, uid: 7, gid: 8 },
      {
        name: 'in/suid',
        data: 'x',
        mode: 0o4755,
        uid: 9,
        gid: 10,
        xattrs: new Map([['security.capability', capability]]),
      },
      { name: 'in/plain', data: 'z' },
      { name: 'in/same', type: 'link', linkName: 'in/plain' },
      { name: 'in/link', type: 'symlink', linkName: 'suid' },
      { name: 'in/null', type: 'char', devMajor: 1, devMinor: 3 },
      { name: 'in/fifo', type: 'fifo' },
      { name: 'in/a\nb', data: 'odd' },
      { name: 'deep/er/file', data: 'y' },
    ]);
    assert.equal((await archive(target, 'PUT', c, at('/tmp'), sent)).status, 200);
    const { body } = await archive(target, 'GET', c, at('/tmp'));
    const got = execFileSync('tar', ['-tvf', '-', '--numeric-owner'], { input: body }).toString();
    for (const line of [
      /^drwxr-x--t 7\/8 .* 2020-09-13 12:26 tmp\/in\/$/m,
      /^-rwsr-xr-x 9\/10 +1 2020-09-13 12:26 tmp\/in\/suid$/m,
      /tmp\/in\/same link to tmp\/in\/plain$/m,
      /^lrwxrwxrwx 0\/0 .* tmp\/in\/link -> suid$/m,
      /^crw-r--r-- 0\/0 +1,3 /m,
      /^prw-r--r-- /m,
      /^drwxr-xr-x 0\/0 .* tmp\/deep\/er\/$/m,
    ]) {
      assert.match(got, line);
    }
    assert.ok(body.includes(Buffer.concat([Buffer.from('SCHILY.xattr.security.capability='), capability])));
  },
  'the place to unpack to must be a directory that can be written': async (target) => {
    await using c = await prepared(target);
    const sent = archiveOf([{ name: 'x', data: 'x' }]);
    const put = async (path: string) => (await archive(target, 'PUT', c, at(path), sent)).status;
    assert.deepEqual(
      [await put('/w/l'), await put('/w/dang'), await put('/nope'), await put('/w/f')],
      [200, 404, 404, 500],
    );
    await using fixed = await create(target, 'true', {
      HostConfig: { ReadonlyRootfs: true, Binds: ['/tmp:/ro:ro', '/tmp:/rw'] },
    });
    // As Docker describes it; its engine says 500.
    const refused = target.name === 'gantry' ? 403 : 500;
    for (const [path, message] of [
      ['/', 'container rootfs is marked read-only'],
      ['/ro', 'mounted volume is marked read-only'],
    ] as const) {
      const { status, body } = await archive(target, 'PUT', fixed, at(path), sent);
      assert.deepEqual([status, JSON.parse(body.toString())], [refused, { message }]);
    }
  },
  'a directory and a file do not replace each other when that is not wanted': async (target) => {
    await using c = await prepared(target);
    const directory = archiveOf([{ name: 'f', type: 'directory', mode: 0o755 }]);
    const file = archiveOf([{ name: 'd', data: 'x' }]);
    const put = (body: Buffer, keep: string) =>
      archive(target, 'PUT', c, `${at('/w')}&noOverwriteDirNonDir=${keep}`, body);
    for (const [body, words] of [
      [directory, 'cannot overwrite non-directory "/w/f" with directory "/w"'],
      [file, 'cannot overwrite directory "/w/d" with non-directory "/w"'],
    ] as const) {
      const refused = await put(body, '1');
      assert.equal(refused.status, 500);
      assert.ok(refused.body.toString().includes(JSON.stringify(words).slice(1, -1)), refused.body.toString());
      assert.equal((await put(body, '0')).status, 200);
    }
  },
  'files can come to belong to the user of the container': async (target) => {
    await using c = await run(target, 'exec sleep 1000', { User: '65534' });
    const sent = archiveOf([{ name: 'mine', data: 'x', uid: 3, gid: 4 }]);
    assert.equal((await archive(target, 'PUT', c, `${at('/tmp')}&copyUIDGID=1`, sent)).status, 200);
    const { body } = await archive(target, 'GET', c, at('/tmp/mine'));
    assert.match(execFileSync('tar', ['-tvf', '-', '--numeric-owner'], { input: body }).toString(), /^\S+ 65534\//);
  },
  'the changes of a container are told': async (target) => {
    const script = [
      'rm /bin/vi',
      'echo x >>/etc/passwd',
      'chmod 700 /home',
      'rm -rf /var; mkdir /var; echo y >/var/n',
      'rm /etc/group; mkdir /etc/group; touch /etc/group/x',
      'touch /tmp/t; rm -rf /root',
    ].join('; ');
    await using c = await run(target, script);
    assert.equal(await c.wait(), 0);
    const changes = (await target.api('GET', `${c.path}/changes`)).json<{ Path: string; Kind: number }[]>();
    const told = changes.map(({ Path, Kind }) => `${'CAD'[Kind]} ${Path}`).toSorted();
    assert.deepEqual(told, [
      'A /etc/group/x',
      'A /tmp/t',
      'A /var/n',
      'C /bin',
      'C /etc',
      'C /etc/group',
      'C /etc/passwd',
      'C /home',
      'C /tmp',
      'C /var',
      'D /bin/vi',
      'D /root',
    ]);
    await using fresh = await create(target, 'true');
    assert.equal((await target.api('GET', `${fresh.path}/changes`)).json(), null);
    assert.equal((await target.api('GET', '/containers/nope/changes')).status, 404);
  },
  'the root file system is exported without what is mounted': async (target) => {
    await using c = await prepared(target, { HostConfig: { Binds: ['/etc:/bound:ro'] } });
    const read = async () => {
      const got = await target.docker(['export', '-o', join(tmpdir(), `export-${c.id}.tar`), c.id]);
      assert.equal(got.code, 0, got.stderr);
      const file = join(tmpdir(), `export-${c.id}.tar`);
      const names = members(await readFile(file));
      await rm(file);
      return names;
    };
    const running = await read();
    for (const name of ['d w/d/', 'h w/hard link to w/f', 'p w/p', 'd proc/', 'd bound/', 'l w/up -> ../../../etc']) {
      assert.ok(running.includes(name), `${name} in ${running.join()}`);
    }
    assert.ok(!running.some((name) => /^\S (bound|proc)\/./.test(name)), 'nothing mounted');
    await target.api('POST', `${c.path}/kill`);
    await c.wait();
    assert.deepEqual(await read(), running);
  },
  'an image is made of a container': async (target) => {
    await using c = await prepared(target, { Env: ['A=b'], Labels: { own: '1' } });
    const made = await target.docker([
      'commit',
      '-a',
      'me',
      '-m',
      'why',
      '-c',
      'CMD ["cat","/w/f"]',
      '-c',
      'ENV C=d',
      c.id,
      'made:one',
    ]);
    assert.equal(made.code, 0, made.stderr);
    const image = (await target.api('GET', '/images/made:one/json')).json<{
      Id: string;
      Author: string;
      Comment: string;
      Config: { Cmd: string[]; Env: string[]; Labels: object };
      RootFS: { Layers: string[] };
    }>();
    assert.equal(made.stdout.trim(), image.Id);
    assert.deepEqual([image.Author, image.Comment, image.Config.Cmd], ['me', 'why', ['cat', '/w/f']]);
    assert.deepEqual(image.Config.Env.slice(0, 2), ['A=b', 'C=d']);
    assert.deepEqual([image.Config.Labels, image.RootFS.Layers.length], [{ own: '1' }, 2]);
    const ran = await target.docker(['run', '--rm', 'made:one']);
    assert.deepEqual([ran.code, ran.stdout], [0, 'hi\n'], ran.stderr);
    const [, step] = (await target.api('GET', '/images/made:one/history')).json<{ Comment: string }[]>();
    assert.ok(step !== undefined);
    const actions = await actionsOf(target, c.id);
    assert.deepEqual(actions.slice(actions.indexOf('pause')), ['pause', 'commit', 'unpause']);
    const again = await target.docker(['commit', '--pause=false', c.id]);
    assert.equal(again.code, 0, again.stderr);
    assert.equal((await actionsOf(target, c.id)).at(-1), 'commit');
    await target.api('DELETE', '/images/made:one?force=1');
    await target.api('DELETE', `/images/${again.stdout.trim()}?force=1`);
  },
  'what a commit is told must be right': async (target) => {
    await using c = await create(target, 'true');
    for (const [query, status] of [
      [`container=${c.id}&changes=NOSUCH+x`, 400],
      [`container=${c.id}&repo=UPPER`, target.name === 'gantry' ? 400 : 500],
      ['container=nope', 404],
    ] as const) {
      const { status: got, text } = await target.api('POST', `/commit?${query}`, {});
      assert.equal(got, status, text);
    }
  },
  'cp tells what it did': async (target) => {
    const dir = await mkdtemp(join(tmpdir(), 'files-'));
    try {
      await using c = await prepared(target);
      await writeFile(join(dir, 'local'), 'local\n');
      for (const args of [
        [join(dir, 'local'), `${c.id}:/w/d`],
        [join(dir, 'local'), `${c.id}:/w/renamed`],
        [`${c.id}:/w/d`, join(dir, 'out')],
        [`${c.id}:/w/renamed`, dir],
        ['-L', `${c.id}:/w/l`, join(dir, 'followed')],
      ]) {
        const { code, stderr } = await target.docker(['cp', ...args]);
        assert.equal(code, 0, stderr);
      }
      assert.equal(await readFile(join(dir, 'out', 'local'), 'utf8'), 'local\n');
      assert.equal(await readFile(join(dir, 'renamed'), 'utf8'), 'local\n');
      assert.equal(await readFile(join(dir, 'followed', 'local'), 'utf8'), 'local\n');
      const actions = await actionsOf(target, c.id);
      assert.deepEqual(
        actions.filter((action) => /archive|extract/.test(action)),
        ['extract-to-dir', 'extract-to-dir', 'archive-path', 'archive-path', 'archive-path'],
      );
    } finally {
      await rm(dir, { recursive: true });
    }
  },
});
