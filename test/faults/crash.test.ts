import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { importBusybox } from '../support/both.ts';
import { eventually, type Made, run } from '../support/containers.ts';
import { startGantry, type TestEngine } from '../support/gantry.ts';
import { hijack, outputOf } from '../support/hijack.ts';
import { assertNoTraces, cgroupParent } from '../support/traces.ts';

/** Prints numbered lines on both outputs, far more than a pipe holds, some of them cut in two by a pause. */
const printer = (last: number, exit: number): string =>
  `i=0; while [ $i -lt ${last} ]; do i=$((i+1)); echo "line $i of standard output, long enough to fill a pipe soon"; ` +
  `[ $((i % 50)) -ne 0 ] || { printf "half $i"; sleep 0.01; echo " whole"; echo "error $i" >&2; }; done; exit ${exit}`;

function printed(last: number): { stdout: string; stderr: string } {
  let stdout = '';
  let stderr = '';
  for (let i = 1; i <= last; i++) {
    stdout += `line ${i} of standard output, long enough to fill a pipe soon\n`;
    if (i % 50 !== 0) continue;
    stdout += `half ${i} whole\n`;
    stderr += `error ${i}\n`;
  }
  return { stdout, stderr };
}

/** The log of a container, both streams. */
async function logsOf(engine: TestEngine, { path }: Made): Promise<{ stdout: string; stderr: string }> {
  const dir = path.split('/')[2] ?? '';
  const file = await readFile(`${engine.dataRoot}/containers/${dir}/${dir}-json.log`, 'utf8');
  const entries = file.split('\n').filter((line) => line !== '');
  const parsed = entries.map((line) => JSON.parse(line) as { log: string; stream: string });
  const of = (name: string) => parsed.flatMap(({ log, stream }) => (stream === name ? log : [])).join('');
  return { stdout: of('stdout'), stderr: of('stderr') };
}

/** What one read of a pipe brings at most. */
const CHUNK = 64 << 10;

/**
 * Asserts that `actual` is `expected` without at most `gaps` stretches, none longer than one read of a pipe: a kill can hit
 * between reading a chunk and writing it, which no log can make good. Nothing may be repeated or out of order.
 */
function assertWhole(actual: string, expected: string, gaps: number): void {
  let found = 0;
  for (let at = 0, from = 0; at < actual.length; found++) {
    let same = 0;
    while (at + same < actual.length && actual[at + same] === expected[from + same]) same++;
    at += same;
    from += same;
    if (at === actual.length) break;
    const next = expected.indexOf(actual.slice(at, at + 80), from);
    assert.ok(next > from && next - from <= CHUNK, `from ${actual.slice(at, at + 80)} on`);
    from = next;
  }
  assert.ok(expected.length - actual.length <= gaps * CHUNK && found <= gaps, `${found} gaps`);
}

/** Lets a control group go on as the runtime does, without telling anybody. */
async function thawGroup(pid: number): Promise<void> {
  const lines = (await readFile(`/proc/${pid}/cgroup`, 'utf8')).split('\n').map((line) => line.split(':'));
  const old = lines.find(([, controllers]) => controllers === 'freezer')?.[2];
  if (old !== undefined) await writeFile(`/sys/fs/cgroup/freezer${old}/freezer.state`, 'THAWED');
  else await writeFile(`/sys/fs/cgroup${lines[0]?.[2] ?? ''}/cgroup.freeze`, '0');
}

async function listed(engine: TestEngine): Promise<Map<string, { State: string; Status: string }>> {
  const list = (await engine.api('GET', '/containers/json?all=1')).json<
    { Id: string; State: string; Status: string }[]
  >();
  return new Map(list.map((it) => [it.Id, it]));
}

/** Waits while no daemon runs, seen from outside: by the processes of a container, by their pid. */
const ended = (pid: number): Promise<unknown> =>
  eventually(`the end of process ${pid}`, async () => {
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => 'gone Z');
    return / Z |^gone/.test(stat);
  });

const pidOf = async (made: Made): Promise<number> => (await made.inspect()).State.Pid;

describe('a daemon that is killed', () => {
  let engine: TestEngine;
  before(async () => {
    engine = await startGantry();
    await importBusybox(engine);
  });
  after(() => engine[Symbol.asyncDispose]());

  const start = (script: string, hostConfig: object = {}, body: Record<string, unknown> = {}): Promise<Made> =>
    run(engine, script, { ...body, HostConfig: { CgroupParent: cgroupParent(engine), ...hostConfig } });

  for (const way of ['crash', 'terminate'] as const) {
    test(`containers that print all the time go on, and their logs are whole (${way})`, async () => {
      await using quick = await start(printer(6_000, 7));
      await using slow = await start(printer(9_000, 0));
      const quickPid = await pidOf(quick);
      for (let round = 0; round < 2; round++) {
        await engine[way]();
        await engine.start();
      }
      await engine[way]();
      // Both pipes are full by now and the printers wait; the next daemon takes what they hold and lets them go on.
      await engine.start();
      const states = await listed(engine);
      assert.ok(states.has(quick.id) && states.has(slow.id), 'both are listed');
      assert.equal(await quick.wait(), 7);
      assert.equal(await slow.wait(), 0);
      const gaps = way === 'crash' ? 3 : 0;
      for (const [made, expected] of [
        [quick, printed(6_000)],
        [slow, printed(9_000)],
      ] as const) {
        const logged = await logsOf(engine, made);
        assertWhole(logged.stdout, expected.stdout, gaps);
        assertWhole(logged.stderr, expected.stderr, gaps);
        const { stdout } = await engine.docker(['logs', made.id]);
        assert.equal(stdout, logged.stdout, 'and the API gives them back');
      }
      await ended(quickPid);
    });

    test(`ends that nobody saw are known afterwards (${way})`, async () => {
      const untilTold = 'while [ ! -e /go ]; do sleep 0.05; done';
      const exits = await Promise.all([
        start(`${untilTold}; echo last words; exit 3`, {}, {}),
        start(`${untilTold}; i=0; while [ $i -lt 500 ]; do i=$((i+1)); echo tail $i; done; exit 12`),
        start('trap "exit 5" TERM; echo up; while :; do sleep 0.05; done'),
      ]);
      const [first, second, third] = exits;
      const removed = await start(`${untilTold}; exit 1`, { AutoRemove: true });
      const pids = await Promise.all([first, second, third, removed].map(pidOf));
      await eventually('output', async () => (await logsOf(engine, third)).stdout === 'up\n');
      await engine[way]();
      await Promise.all(pids.map(async (pid) => await touch(pid, '/go')));
      process.kill(pids[2] ?? 0, 'SIGTERM');
      await Promise.all(pids.map(ended));
      await engine.start();
      const states = await listed(engine);
      assert.equal(states.get(first.id)?.State, 'exited');
      assert.match(states.get(first.id)?.Status ?? '', /^Exited \(3\)/);
      assert.deepEqual([await first.wait(), await second.wait(), await third.wait()], [3, 12, 5]);
      assert.equal((await logsOf(engine, first)).stdout, 'last words\n');
      assert.equal((await logsOf(engine, second)).stdout.split('\n').length, 501);
      assert.equal((await engine.api('GET', `/containers/${removed.id}/json`)).status, 404, '--rm');
      for (const made of exits) await made[Symbol.asyncDispose]();
    });
  }

  test('attach, exec, wait and events go on', async () => {
    await using made = await start('read x; echo got $x; read y; exit 9', {}, { OpenStdin: true, AttachStdin: true });
    const exec = await createExec(engine, made, 'echo begun; read z; echo $z; exit 4');
    using first = await hijack(engine, `/exec/${exec}/start`, { body: { Detach: false } });
    await first.until((bytes) => bytes.includes('begun'));
    await engine.crash();
    await engine.start();
    assert.equal((await made.inspect()).State.Status, 'running');
    assert.deepEqual((await made.inspect()).ExecIDs, [exec], 'the exec is followed');
    const stateOfExec = async () =>
      (await engine.api('GET', `/exec/${exec}/json`)).json<{ Running: boolean; ExitCode: number | null }>();
    assert.equal((await stateOfExec()).Running, true);
    const other = await createExec(engine, made, 'echo $((6*7))');
    using next = await hijack(engine, `/exec/${other}/start`, { body: { Detach: false } });
    assert.equal(outputOf('stdout', await next.ended()), '42\n');

    const since = Math.floor(Date.now() / 1000);
    const waiting = made.wait();
    using attached = await hijack(engine, `${made.path}/attach?stream=1&stdin=1&stdout=1`);
    attached.socket.write('one\n');
    await attached.until((bytes) => bytes.includes('got one'));
    attached.socket.write('two\n');
    assert.equal(await waiting, 9);
    assert.match(outputOf('stdout', await attached.ended()), /got one/);
    const filters = encodeURIComponent(JSON.stringify({ container: [made.id], event: ['die'] }));
    const until = Math.floor(Date.now() / 1000) + 1;
    const events = await engine.api('GET', `/events?since=${since}&until=${until}&filters=${filters}`);
    assert.match(events.text, /"exitCode":"9"/);
    await eventually('the end of the exec', async () => !(await stateOfExec()).Running);
  });

  test('an exec that ends while no daemon runs keeps its exit code', async () => {
    await using made = await start('sleep 1000');
    const exec = await createExec(engine, made, 'while [ ! -e /go ]; do sleep 0.05; done; echo lost; exit 6');
    assert.equal((await engine.api('POST', `/exec/${exec}/start`, { Detach: true })).status, 200);
    const { Pid } = (await engine.api('GET', `/exec/${exec}/json`)).json<{ Pid: number }>();
    await engine.crash();
    await touch(Pid, '/go');
    await ended(Pid);
    await engine.start();
    const inspected = await eventually('its end', async () => {
      const now = (await engine.api('GET', `/exec/${exec}/json`)).json<{ Running: boolean; ExitCode: number }>();
      return !now.Running && now;
    });
    assert.equal(inspected.ExitCode, 6);
    assert.equal((await made.inspect()).ExecIDs, null);
  });

  test('what an engine thawed whose end came before the shim knew of it can be thawed', async () => {
    await using made = await run(engine, 'sleep 1000');
    await engine.api('POST', `${made.path}/pause`);
    const { Pid } = (await made.inspect()).State;
    await thawGroup(Pid);
    assert.equal((await engine.api('POST', `${made.path}/unpause`)).status, 204);
    assert.equal((await made.inspect()).State.Status, 'running');
    for (const verb of ['pause', 'unpause'])
      assert.equal((await engine.api('POST', `${made.path}/${verb}`)).status, 204);
  });

  test('paused stays paused, and goes on', async () => {
    await using made = await start('while :; do echo x; sleep 0.05; done');
    assert.equal((await engine.api('POST', `${made.path}/pause`)).status, 204);
    await engine.crash();
    await engine.start();
    assert.equal((await made.inspect()).State.Status, 'paused');
    const length = (await logsOf(engine, made)).stdout.length;
    assert.equal((await engine.api('POST', `${made.path}/unpause`)).status, 204);
    await eventually('more output', async () => (await logsOf(engine, made)).stdout.length > length);
  });

  test('published ports and the network of containers work on', async () => {
    const port = { ExposedPorts: { '80/tcp': {} } };
    const serve = 'while :; do echo hello | nc -l -p 80; done';
    await using made = await start(serve, { PortBindings: { '80/tcp': [{ HostPort: '' }] } }, port);
    const published = async () => {
      const { NetworkSettings } = (await engine.api('GET', `${made.path}/json`)).json<{
        NetworkSettings: { IPAddress: string; Ports: Record<string, { HostPort: string }[]> };
      }>();
      return { address: NetworkSettings.IPAddress, port: NetworkSettings.Ports['80/tcp']?.[0]?.HostPort ?? '' };
    };
    const place = await published();
    for (const end of ['crash', 'terminate'] as const) {
      await eventually('an answer', () => answers('127.0.0.1', place.port));
      await engine[end]();
      await eventually('an answer without a daemon', () => answers(place.address, '80'));
      await engine.start();
      assert.deepEqual(await published(), place);
      await eventually('an answer on the published port', () => answers('127.0.0.1', place.port));
    }
    await using other = await start(`nc -w 2 ${place.address} 80`);
    assert.equal(await other.wait(), 0);
    assert.equal((await logsOf(engine, other)).stdout, 'hello\n');
  });

  test('a container that ended before its removal was due is removed', async () => {
    const name = 'auto-removed';
    const request = { Image: 'busybox', Cmd: ['true'], HostConfig: { AutoRemove: true } };
    assert.equal((await engine.api('POST', `/containers/create?name=${name}`, request)).status, 201);
    await engine.crash();
    await engine.start();
    // As dockerd does: nobody will come to start it.
    assert.equal((await engine.api('GET', `/containers/${name}/json`)).status, 404);
  });

  test('nothing is left', () => assertNoTraces(engine));
});

async function createExec(engine: TestEngine, { path }: Made, script: string): Promise<string> {
  const body = { Cmd: ['sh', '-c', script], AttachStdin: true, AttachStdout: true, AttachStderr: true };
  const reply = await engine.api('POST', `${path}/exec`, body);
  assert.equal(reply.status, 201, reply.text);
  return reply.json<{ Id: string }>().Id;
}

/** Makes a file in the root of a process, with no engine's help. */
async function touch(pid: number, path: string): Promise<void> {
  await writeFile(`/proc/${pid}/root${path}`, '');
}

async function answers(host: string, port: string): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const socket = connect({ host, port: Number(port), timeout: 1_000 });
  socket.on('data', (bytes) => resolve(bytes.toString() === 'hello\n'));
  socket
    .on('error', () => resolve(false))
    .on('close', () => resolve(false))
    .on('timeout', () => socket.destroy());
  return promise.finally(() => socket.destroy());
}
