import assert from 'node:assert/strict';
import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { importBusybox } from '../support/both.ts';
import { eventually, type Made, run } from '../support/containers.ts';
import { startGantry, type TestEngine } from '../support/gantry.ts';

const DAY_MS = 86_400_000;
const PRELOAD = join(import.meta.dirname, '..', 'support', 'shifted-clock.cjs');

interface Seen {
  RestartCount: number;
  State: { Status: string; ExitCode: number; Health?: { Status: string; Log: { End: string }[] } };
}

const look = async (c: Made): Promise<Seen> => (await c.inspect()) as unknown as Seen;

/** What must go on, whatever the wall clock does. */
async function goesOn(
  engine: TestEngine,
  { loop, checked, talks }: Record<'loop' | 'checked' | 'talks', Made>,
): Promise<void> {
  const before = await look(loop);
  await eventually('one more restart', async () => (await look(loop)).RestartCount > before.RestartCount);
  const last = (await look(checked)).State.Health?.Log.at(-1)?.End;
  await eventually('one more probe', async () => (await look(checked)).State.Health?.Log.at(-1)?.End !== last);
  assert.equal((await look(checked)).State.Health?.Status, 'healthy');
  const logged = async (): Promise<number> => (await engine.docker(['logs', talks.id])).stdout.length;
  const length = await logged();
  await eventually('more is logged', async () => (await logged()) > length);
  await using ends = await run(engine, 'exit 3');
  assert.equal(await ends.wait(), 3);
  await using deaf = await run(engine, 'trap "" TERM; echo ready; while :; do sleep 0.05; done');
  await eventually('it is ready', async () => (await engine.docker(['logs', deaf.id])).stdout.includes('ready'));
  const begun = performance.now();
  assert.equal((await engine.api('POST', `${deaf.path}/stop?t=1`)).status, 204);
  assert.ok(performance.now() - begun >= 1000, 'it has its second');
  assert.equal((await look(deaf)).State.ExitCode, 137);
}

test('a wall clock that is set, a day forwards and a day back, changes no wait, no order and no answer', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'gantry-clock-'));
  await using stack = new AsyncDisposableStack();
  stack.defer(() => rm(dir, { recursive: true }));
  const file = join(dir, 'offset');
  const shift = async (ms: number): Promise<void> => {
    await writeFile(`${file}.new`, String(ms));
    await rename(`${file}.new`, file);
  };
  await shift(0);
  const env = { ...process.env, NODE_OPTIONS: `--require ${PRELOAD}`, CLOCK_OFFSET: file };
  const engine = stack.use(await startGantry([], { env, level: 'info' }));
  await importBusybox(engine);
  const loop = stack.use(await run(engine, 'sleep 0.3; exit 1', { HostConfig: { RestartPolicy: { Name: 'always' } } }));
  const Healthcheck = { Test: ['CMD', 'true'], Interval: 3e8 };
  const checked = stack.use(await run(engine, 'exec sleep 1000', { Healthcheck }));
  const talks = stack.use(await run(engine, 'while :; do echo tick; sleep 0.1; done'));
  await eventually('it is healthy', async () => (await look(checked)).State.Health?.Status === 'healthy');

  const begun = performance.now();
  const until = Math.floor(Date.now() / 1000) + 8;
  const events = engine.api('GET', `/events?since=${until - 60}&until=${until}`);
  const followed = engine.docker(['logs', '-f', '--tail', '0', talks.id]);
  const waiting = engine.api('POST', `${talks.path}/wait`);
  const used = engine.api('POST', `${checked.path}/exec`, { Cmd: ['sh', '-c', 'exit 9'] });
  const execId = (await used).json<{ Id: string }>().Id;
  assert.equal((await engine.api('POST', `/exec/${execId}/start`, { Detach: true })).status, 200);
  for (const offset of [DAY_MS, -DAY_MS]) {
    await shift(offset);
    await goesOn(engine, { loop, checked, talks });
  }
  const other = await engine.api('POST', `${checked.path}/exec`, { Cmd: ['true'] });
  assert.equal(other.status, 201);
  const exec = (await engine.api('GET', `/exec/${execId}/json`)).json<{ ExitCode: number }>();
  assert.equal(exec.ExitCode, 9, 'an exec is not forgotten before its time');
  const told = (await events).text.trim().split('\n');
  assert.ok(performance.now() - begun >= 7000, 'events end when they were to, by the clock of the question');
  const times = told.map((line) => (JSON.parse(line) as { time: number }).time - Date.now() / 1000);
  assert.ok(
    times.some((it) => it > 80_000),
    'and what comes is told, whatever its time',
  );
  await sleep(300);
  assert.equal((await engine.api('POST', `${talks.path}/kill`)).status, 204);
  assert.equal((await waiting).json<{ StatusCode: number }>().StatusCode, 137);
  assert.match((await followed).stdout, /^(tick\n){10,}$/u);
});
