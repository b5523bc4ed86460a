import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { type ClientRequest, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { archiveOf, type Member } from '../../src/util/tar/tar-fixture.ts';
import { importBusybox } from '../support/both.ts';
import { create, eventually, type Made, run } from '../support/containers.ts';
import { startGantry, type TestEngine } from '../support/gantry.ts';
import { assertNoTraces } from '../support/traces.ts';
import { fileWorkers } from '../support/workers.ts';

// Containers and archives that try to make the engine read or write outside of a container's root, and ends at bad moments.

const SECRET = 'the host’s own';
/** How often each race is tried. */
const ROUNDS = 60;

interface Answer {
  status: number;
  body: Buffer;
}

describe('files of hostile containers', () => {
  let engine: TestEngine;
  /** A directory of the host that no container may reach. */
  let host: string;
  before(async () => {
    engine = await startGantry();
    await importBusybox(engine);
    host = await mkdtemp(join(tmpdir(), 'gantry-host-'));
    await writeFile(join(host, 'secret'), SECRET);
  });
  after(async () => {
    await engine[Symbol.asyncDispose]();
    await rm(host, { recursive: true });
  });

  function send(method: string, c: { path: string }, path: string, body?: Buffer): Promise<Answer> {
    const { promise, resolve, reject } = Promise.withResolvers<Answer>();
    const url = `${c.path}/archive?path=${encodeURIComponent(path)}`;
    const headers = body === undefined ? {} : { 'Content-Type': 'application/x-tar', 'Content-Length': body.length };
    const sent = request({ socketPath: engine.socket, method, path: url, headers, agent: false }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      // An archive of what changes may break off; what came of it counts.
      const done = () => resolve({ status: response.statusCode ?? 0, body: Buffer.concat(chunks) });
      response.on('end', done).on('error', done);
    });
    sent.on('error', reject);
    sent.end(body);
    return promise;
  }

  const members = (...list: Member[]): Buffer => archiveOf(list);
  const onHost = (): string[] => readdirSync(host).toSorted();
  const intact = (): void => {
    assert.deepEqual(onHost(), ['secret'], 'nothing was written to the host');
    assert.equal(readFileSync(join(host, 'secret'), 'utf8'), SECRET);
  };

  /** A container that swaps `/t/a` between a directory and a link to a directory of the host, as fast as it can. */
  const swapping = (): Promise<Made> =>
    run(
      engine,
      `mkdir -p /t/real; echo mine >/t/real/secret; ln -s ${host} /t/evil; touch /ready
       while :; do mv -T /t/real /t/a; mv -T /t/a /t/real; mv -T /t/evil /t/a; mv -T /t/a /t/evil; done 2>/dev/null`,
    );

  test('a directory that becomes a link meanwhile leads nowhere outside, in or out', async () => {
    await using c = await swapping();
    await eventually('the race', async () => (await send('HEAD', c, '/ready')).status === 200);
    const seen = new Set<number>();
    for (let round = 0; round < ROUNDS; round++) {
      const answers = await Promise.all([
        send('GET', c, '/t/a/secret'),
        send('GET', c, '/t'),
        send('PUT', c, '/t/a', members({ name: 'planted', data: 'planted' })),
        send('PUT', c, '/t', members({ name: 'a/planted', data: 'planted' }, { name: 'a/secret', data: 'planted' })),
      ]);
      for (const { status, body } of answers) {
        seen.add(status);
        assert.ok(!body.includes(SECRET), 'nothing was read of the host');
      }
      intact();
    }
    assert.ok(seen.has(200), 'some got through, so the race was one');
  });

  test('a file that becomes a device meanwhile is not opened: it would be the host’s', async () => {
    await using c = await run(
      engine,
      `mkdir -p /t; echo mine >/t/file; mknod /t/node c 1 9; touch -d @1000000000 /t/file /t/node; touch /ready
       while :; do mv -T /t/file /t/a; mv -T /t/a /t/file; mv -T /t/node /t/a; mv -T /t/a /t/node; done 2>/dev/null`,
    );
    await eventually('the race', async () => (await send('HEAD', c, '/ready')).status === 200);
    const seen = new Set<string>();
    for (let round = 0; round < ROUNDS; round++) {
      const { status, body } = await send('GET', c, '/t/a');
      const type = status === 200 ? body.toString('latin1', 156, 157) : `${status}`;
      seen.add(type);
      if (type === '0') assert.equal(body.toString('latin1', 512, 517), 'mine\n');
    }
    assert.ok(seen.has('0') && seen.has('3'), `both were seen: ${[...seen].join()}`);
  });

  test('links of every kind stay inside, also the magic ones of /proc', async () => {
    const script = `ln -s ${host} /abs; ln -s ../../../../../..${host} /rel; ln -s /proc/1/root${host} /magic
      ln -s /proc/self/cwd /self; ln -s /loop /loop; touch /ready; exec sleep 1000`;
    for (const HostConfig of [{}, { PidMode: 'host', Privileged: true }]) {
      await using c = await run(engine, script, { HostConfig });
      await eventually('the links', async () => (await send('HEAD', c, '/ready')).status === 200);
      for (const state of ['running', 'stopped']) {
        const roots = ['/abs', '/rel', '/magic', '/proc/1/root', '/proc/self/root', '/proc/1/cwd', '/self', '/loop'];
        for (const root of roots) {
          for (const path of [`${root}${root.startsWith('/proc') ? host : ''}/secret`, `${root}/`]) {
            const { status, body } = await send('GET', c, path);
            assert.ok(!body.includes(SECRET), `${state} ${path}`);
            assert.ok(status === 404 || status === 500 || status === 200, `${status}`);
          }
          await send('PUT', c, root, members({ name: 'planted', data: 'planted' }));
          intact();
        }
        await engine.api('POST', `${c.path}/kill`);
        await c.wait();
      }
    }
  });

  test('a hostile archive writes inside alone', async () => {
    await using c = await create(engine, 'sleep 1000');
    const x = { data: 'planted' };
    const archives: Member[][] = [
      [{ name: '../../../../../../../../tmp/planted', ...x }],
      [{ name: `${host}/planted`, ...x }],
      [
        { name: 'l', type: 'symlink', linkName: host },
        { name: 'l/planted', ...x },
      ],
      [
        { name: 'l', type: 'symlink', linkName: `../../../../../..${host}` },
        { name: 'l/planted', ...x },
      ],
      [
        { name: 'l', type: 'symlink', linkName: '/proc/self/root' },
        { name: `l${host}/planted`, ...x },
      ],
      [
        { name: 'h', type: 'link', linkName: `${host}/secret` },
        { name: 'h', ...x },
      ],
      [{ name: 'h', type: 'link', linkName: `../../../../../..${host}/secret` }],
      [
        { name: 'l', type: 'symlink', linkName: `${host}/secret` },
        { name: 'l', ...x },
      ],
      [
        { name: 'l', type: 'symlink', linkName: host },
        { name: 'l', type: 'directory', mode: 0o777, uid: 9 },
      ],
      [{ name: '..', type: 'directory' }],
      [{ name: '.', type: 'directory', mode: 0o700 }],
      [{ name: '', ...x }],
    ];
    for (const state of ['new', 'running']) {
      if (state === 'running') await c.start();
      for (const [index, archive] of archives.entries()) {
        const { status } = await send('PUT', c, '/tmp', members(...archive));
        assert.ok([200, 400, 404, 500].includes(status), `archive ${index}: ${status}`);
        intact();
        await send('PUT', c, '/', members({ name: 'tmp/l', data: '' }));
      }
    }
    assert.ok(!existsSync('/tmp/planted'));
  });

  test('nothing of a container is run, whatever it calls its programs', async () => {
    const script = `for name in tar perl sh sleep; do for dir in /bin /usr/bin /sbin; do mkdir -p $dir
      rm -f $dir/$name; echo '#!/proc/1/exe' >$dir/$name; chmod 755 $dir/$name; done; done`;
    await using c = await run(engine, script);
    await c.wait();
    const { status } = await send('PUT', c, '/tmp', members({ name: 'f', data: 'f' }));
    assert.equal(status, 200);
    assert.equal((await send('GET', c, '/')).status, 200);
  });

  test('odd files do not hold it up: fifos, devices, sockets, deep trees, a name of bytes', async () => {
    const script = `mkfifo /w; mknod /z c 1 5; d=/deep; for i in $(seq 300); do d=$d/d; done; mkdir -p $d
      echo x >"$(printf '/odd\\377\\nname')"; touch /ready; exec sleep 1000`;
    await using c = await run(engine, script);
    await eventually('the files', async () => (await send('HEAD', c, '/ready')).status === 200);
    const { status, body } = await send('GET', c, '/');
    assert.equal(status, 200);
    assert.ok(body.includes(Buffer.from('/odd\xff\nname', 'latin1')));
    const again = await send('PUT', c, '/tmp', body);
    assert.equal(again.status, 200, again.body.toString());
  });

  test('a large sparse file goes through without its holes', async () => {
    await using c = await run(engine, 'truncate -s 9G /big; echo end >>/big; touch /ready; exec sleep 1000');
    await eventually('the file', async () => (await send('HEAD', c, '/ready')).status === 200);
    const { body } = await send('GET', c, '/big');
    assert.ok(body.length < 1 << 20, `${body.length}`);
    assert.equal((await send('PUT', c, '/tmp', body)).status, 200);
    const got = await engine.docker(['exec', c.id, 'sh', '-c', 'stat -c "%s %b" /tmp/big; tail -c 4 /tmp/big']);
    const [size, blocks, tail] = got.stdout.split(/\s+/);
    assert.deepEqual([size, tail], [String(9 * 2 ** 30 + 4), 'end']);
    assert.ok(Number(blocks) < 1000);
  });

  const workers = (): string[] => fileWorkers(engine);

  function hanging(c: Made, method: 'GET' | 'PUT', what = 'archive?path=/'): ClientRequest {
    const sent = request({ socketPath: engine.socket, method, path: `${c.path}/${what}`, agent: false });
    sent.on('error', () => {}).on('response', (response) => response.pause());
    if (method === 'GET') sent.end();
    else sent.write(members({ name: 'half', data: Buffer.alloc(1 << 20) }).subarray(0, 4096));
    return sent;
  }

  test('a client that goes away ends the worker, and the container is free', async () => {
    await using c = await create(engine, 'exit 3');
    await send('PUT', c, '/', members({ name: 'large', data: Buffer.alloc(16 << 20) }));
    for (const method of ['GET', 'PUT'] as const) {
      const sent = hanging(c, method);
      await eventually('a worker', () => workers().length > 0);
      sent.destroy();
      await eventually('no worker', () => workers().length === 0);
    }
    await c.start();
    assert.equal(await c.wait(), 3);
  });

  test('a daemon that is killed meanwhile leaves no worker and nothing mounted', async () => {
    const made = await Promise.all([create(engine, 'exit 3'), create(engine, 'exit 3')]);
    for (const c of made) await send('PUT', c, '/', members({ name: 'large', data: Buffer.alloc(16 << 20) }));
    const [a, b] = made;
    if (a === undefined || b === undefined) return;
    const sent = [hanging(a, 'GET'), hanging(b, 'PUT')];
    const pids = await eventually('the workers', () => {
      const found = workers();
      return found.length === 2 && found;
    });
    await engine.crash();
    for (const one of sent) one.destroy();
    await eventually('no worker', () => !pids.some((pid) => existsSync(`/proc/${pid}/exe`)));
    assert.ok(!readFileSync('/proc/self/mountinfo', 'utf8').includes(engine.dataRoot));
    await engine.start();
    await a.start();
    assert.equal(await a.wait(), 3);
    for (const c of made) await c[Symbol.asyncDispose]();
  });

  test('a worker that is killed is an error, not a short archive', async () => {
    await using c = await create(engine, 'true');
    await send('PUT', c, '/', members({ name: 'large', data: randomBytes(32 << 20) }));
    const child: ChildProcess = spawn('docker', ['-H', `unix://${engine.socket}`, 'cp', `${c.id}:/large`, '-'], {
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    // Its output is not read yet, so the worker of the copy lasts; those that only look paths up do not.
    const pid = await eventually('the worker', async () => {
      const [first = ''] = workers();
      await sleep(200);
      return workers().includes(first) && first;
    });
    process.kill(Number(pid), 'SIGKILL');
    child.stdout?.resume();
    const code = await new Promise((resolve) => child.on('close', resolve));
    assert.notEqual(code, 0);
  });

  test('a container that is removed meanwhile becomes a whole image or none', async () => {
    for (let round = 0; round < 6; round++) {
      await using c = await create(engine, 'true');
      const files = Array.from({ length: 200 }, (_, i) => ({ name: `many/${i}`, data: `${i}` }));
      await send('PUT', c, '/', members({ name: 'large', data: randomBytes(4 << 20) }, ...files));
      const committing = engine.api('POST', `/commit?container=${c.id}&repo=meanwhile`);
      // The last one is left in peace.
      await (round < 5 ? sleep(round * 15) : committing);
      await engine.api('DELETE', c.path);
      const { status, text } = await committing;
      assert.ok([201, 404, 409].includes(status), text);
      if (status !== 201) continue;
      await using from = await create(engine, 'true', { Image: 'meanwhile' });
      const { body } = await send('GET', from, '/many');
      assert.equal(body.toString('latin1').split('many/').length - 1, 1 + files.length);
      await from[Symbol.asyncDispose]();
      await engine.api('DELETE', '/images/meanwhile?force=1');
    }
  });

  test('an export that is read slowly keeps nothing mounted', async () => {
    await using c = await run(engine, 'exec sleep 1000');
    await send('PUT', c, '/', members({ name: 'large', data: randomBytes(16 << 20) }));
    const sent = hanging(c, 'GET', 'export');
    await eventually('a worker', () => workers().length > 0);
    await sleep(200);
    assert.equal((await engine.api('DELETE', `${c.path}?force=1`)).status, 204);
    assert.equal(workers().length, 1);
    assert.doesNotMatch(engine.log(), /the shim could not delete a task/);
    sent.destroy();
  });

  test('a root file system that somebody on the host is in goes all the same, and its shim with the engine', async () => {
    await using c = await run(engine, 'exec sleep 1000');
    const mounted = readFileSync('/proc/self/mountinfo', 'utf8').split('\n');
    const root = mounted.map((line) => line.split(' ')[4] ?? '').find((place) => place.includes(c.id));
    const inside = spawn('sleep', ['1000'], { cwd: root, stdio: 'ignore' });
    try {
      const removed = await engine.api('DELETE', `${c.path}?force=1`);
      assert.equal(removed.status, 204, removed.text);
    } finally {
      inside.kill('SIGKILL');
    }
  });

  test('leaves nothing in the end', () => assertNoTraces(engine));
});
