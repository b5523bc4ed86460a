import assert from 'node:assert/strict';
import { mkdtemp, open, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { importBusybox } from '../support/both.ts';
import { busyboxArchive } from '../support/busybox-archive.ts';
import { create, type Made, run } from '../support/containers.ts';
import { expectSame } from '../support/expect-same.ts';
import { startGantry, type TestEngine } from '../support/gantry.ts';
import { streamReceiver } from '../support/log-receivers.ts';
import { mountSmallDisk, type SmallDisk } from '../support/small-disk.ts';
import { command } from '../support/target.ts';
import { assertNoTraces, cgroupParent } from '../support/traces.ts';

const NO_SPACE = /no space left on device/;

describe('a data root on a disk that is full', () => {
  const stack = new AsyncDisposableStack();
  let disk: SmallDisk;
  let engine: TestEngine;
  let archive: Buffer;

  before(async () => {
    archive = await busyboxArchive();
    disk = stack.use(await mountSmallDisk('24m'));
    engine = stack.use(await startGantry([], { dir: disk.roots }));
    await importBusybox(engine);
  });
  after(() => stack.disposeAsync());

  const body = () => ({ HostConfig: { CgroupParent: cgroupParent(engine) } });
  const start = (script: string): Promise<Made> => run(engine, script, body());
  const below = async (...names: string[]): Promise<string[]> =>
    (await Promise.all(names.map((name) => readdir(join(engine.dataRoot, name))))).flat();
  const blobs = () => below('content/sha256', 'content/ingest', 'layers', 'l', 'tmp');

  test('import and load are refused, leave nothing, and work afterwards', async () => {
    const saved = join(engine.execRoot, 'saved.tar');
    const retagged = await engine.docker(['import', '--change', 'LABEL a=b', '-', 'other'], { input: archive });
    assert.equal(retagged.code, 0, retagged.stderr);
    assert.equal((await engine.docker(['save', '-o', saved, 'other'])).code, 0);
    assert.equal((await engine.docker(['rmi', 'other'])).code, 0);
    const other = await withAnotherFile(archive);
    for (const free of [0, 512 << 10, 3 << 20]) {
      const stored = await blobs();
      await using _full = await disk.fill(free);
      const imported = await engine.docker(['import', '-', 'full'], { input: other });
      assert.notEqual(imported.code, 0, `${free} bytes free`);
      assert.match(imported.stderr, NO_SPACE);
      await expectSame(blobs, stored);
      assert.equal((await engine.api('GET', '/images/full/json')).status, 404);
      if (free > 0) continue;
      const loaded = await engine.docker(['load', '-i', saved]);
      assert.notEqual(loaded.code, 0);
      assert.match(loaded.stderr, NO_SPACE);
      await expectSame(blobs, stored);
    }
    const again = await engine.docker(['import', '-', 'full'], { input: other });
    assert.equal(again.code, 0, again.stderr);
    assert.equal((await engine.docker(['load', '-i', saved])).code, 0);
    assert.equal((await engine.docker(['rmi', 'full', 'other'])).code, 0);
  });

  test('create is refused, leaves nothing, and works afterwards', async () => {
    {
      await using _full = await disk.fill(0);
      const request = { Image: 'busybox', Cmd: ['true'], ...body() };
      // What the database has reserved may hold a few more.
      let refused = await engine.api('POST', '/containers/create?name=late', request);
      for (let n = 0; n < 200 && refused.status === 201; n++) {
        refused = await engine.api('POST', `/containers/create?name=late${n}`, request);
      }
      assert.equal(refused.status, 500, refused.text);
      assert.match(refused.text, NO_SPACE);
      const list = (await engine.api('GET', '/containers/json?all=1')).json<{ Id: string }[]>();
      assert.equal((await below('containers')).length, list.length);
      for (const { Id } of list) await engine.api('DELETE', `/containers/${Id}`);
    }
    await using made = await create(engine, 'exit 4', body());
    await made.start();
    assert.equal(await made.wait(), 4);
  });

  test('what runs can be stopped, what does not start says why', async () => {
    await using stopped = await start('trap "exit 6" TERM; while :; do sleep 0.02; done');
    await using removed = await start('sleep 1000');
    await using late = await create(engine, 'exit 2', body());
    {
      await using _full = await disk.fill(0);
      assert.equal((await engine.api('POST', `${stopped.path}/stop`)).status, 204);
      assert.equal((await stopped.inspect()).State.ExitCode, 6);
      const { status, text } = await engine.api('POST', `${late.path}/start`);
      assert.equal(status, 500, text);
      assert.match(text, NO_SPACE);
      assert.equal((await late.inspect()).State.Status, 'created');
      const gone = await engine.api('DELETE', `${removed.path}?force=1`);
      assert.ok(gone.status === 204 || NO_SPACE.test(gone.text), gone.text);
    }
    await late.start();
    assert.equal(await late.wait(), 2);
    assert.equal((await engine.api('DELETE', `${removed.path}?force=1`)).status === 204, true);
  });

  test('a container that prints and ends is followed all the same', async () => {
    await using loud = await create(engine, 'sleep 0.5; yes | head -c 3000000; exit 7', body());
    await loud.start();
    {
      await using _full = await disk.fill(0);
      assert.equal(await loud.wait(), 7);
      assert.equal((await loud.inspect()).State.Status, 'exited');
      assert.equal((await engine.api('GET', '/_ping')).status, 200);
    }
    await engine.crash();
    await engine.start();
    const { State } = await loud.inspect();
    assert.deepEqual([State.Status, State.ExitCode], ['exited', 7], 'and after the next start');
    await using next = await start('echo written again');
    assert.equal(await next.wait(), 0);
    assert.equal((await engine.docker(['logs', next.id])).stdout, 'written again\n');
  });

  test('a container whose log is sent away goes on sending, and its cache goes on when there is room', async () => {
    await using receiver = await streamReceiver();
    const address = { 'syslog-address': `tcp://127.0.0.1:${receiver.port}` };
    const LogConfig = { Type: 'syslog', Config: { ...address, tag: 'full' } };
    const said = { HostConfig: { ...body().HostConfig, LogConfig } };
    const script =
      'mkfifo /go; read -r _ < /go; yes "some words" | head -n 20000; echo all; read -r _ < /go; echo after';
    await using c = await run(engine, script, said);
    const go = () => engine.docker(['exec', c.id, 'sh', '-c', 'until [ -p /go ]; do sleep 0.01; done; echo > /go']);
    {
      await using _full = await disk.fill(0);
      await go();
      await receiver.until(': all\n');
      assert.equal(receiver.text().match(/: some words\n/g)?.length, 20_000);
    }
    await go();
    assert.equal(await c.wait(), 0);
    assert.ok(receiver.text().endsWith(': after\n'));
    assert.match((await engine.docker(['logs', c.id])).stdout, /after\n$/);
  });

  test('questions are answered all the same', async () => {
    await using c = await start('echo said; exec sleep 1000');
    await using _full = await disk.fill(0);
    for (const path of ['json', 'top', 'logs?stdout=1', 'json?size=1']) {
      const reply = await engine.api('GET', `${c.path}/${path}`);
      assert.equal(reply.status, 200, `${path}: ${reply.text}`);
    }
    for (const path of ['/containers/json?all=1&size=1', '/images/json', '/system/df', '/info', '/events?until=1']) {
      const reply = await engine.api('GET', path);
      assert.equal(reply.status, 200, `${path}: ${reply.text}`);
    }
  });

  test('nothing is left', () => assertNoTraces(engine));
});

/** An archive with a file of 4 MB that cannot be compressed away. */
async function withAnotherFile(archive: Buffer): Promise<Buffer> {
  const dir = await mkdtemp(join(tmpdir(), 'gantry-more-'));
  try {
    const path = join(dir, 'more.tar');
    await using file = await open(path, 'w');
    await file.writeFile(archive);
    const noise = Buffer.from(Array.from({ length: 4096 }, (_, n) => n % 251));
    await using more = await open(join(dir, 'noise'), 'w');
    for (let n = 0; n < 1024; n++) await more.write(noise);
    assert.equal((await command('tar', ['-C', dir, '-rf', path, 'noise'])).code, 0);
    return await readFile(path);
  } finally {
    await rm(dir, { recursive: true });
  }
}
