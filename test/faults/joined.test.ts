import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { importBusybox } from '../support/both.ts';
import { eventually, type Made, run } from '../support/containers.ts';
import { startGantry, type TestEngine } from '../support/gantry.ts';

const SLEEP = 'trap exit TERM; sleep 1000 & wait';

/** The places where the engine has mounted a /dev/shm for several containers. */
async function shmMounts({ execRoot }: TestEngine): Promise<string[]> {
  const table = await readFile('/proc/self/mounts', 'utf8');
  return table.split('\n').filter((line) => line.startsWith('shm ') && line.includes(` ${execRoot}/`));
}

async function said(engine: TestEngine, { id }: Made, script: string): Promise<string> {
  const { code, stdout, stderr } = await engine.docker(['exec', id, 'sh', '-c', script]);
  assert.equal(code, 0, stderr);
  return stdout.trim();
}

test('containers share an ipc across a crash of the daemon, and nothing of it stays mounted', async () => {
  await using engine = await startGantry(['--default-ipc-mode', 'shareable']);
  await importBusybox(engine);
  await using donor = await run(engine, SLEEP);
  await using joined = await run(engine, SLEEP, {
    HostConfig: { IpcMode: `container:${donor.id}`, NetworkMode: `container:${donor.id}` },
  });
  await said(engine, donor, 'echo before >/dev/shm/note');
  await engine.crash();
  await engine.start();
  assert.equal(await said(engine, joined, 'cat /dev/shm/note'), 'before');
  await using late = await run(engine, SLEEP, { HostConfig: { IpcMode: `container:${joined.id}` } });
  assert.equal(await said(engine, late, 'cat /dev/shm/note'), 'before');
  const inspected = (await engine.api('GET', `${joined.path}/json`)).json<{ HostsPath: string }>();
  assert.ok(inspected.HostsPath.includes(donor.id), 'its files are still those of the other');
  assert.equal((await shmMounts(engine)).length, 1);

  await engine.crash();
  process.kill(await firstProcess(engine, donor), 'SIGKILL');
  await engine.start();
  await eventually('the end of the donor is seen', async () => !(await donor.inspect()).State.Running);
  await eventually('its shared memory is unmounted', async () => (await shmMounts(engine)).length === 0);
  assert.equal(await said(engine, joined, 'cat /dev/shm/note'), 'before');
});

/** A container’s first process, which the daemon is not there to tell. */
async function firstProcess({ execRoot }: TestEngine, { id }: Made): Promise<number> {
  const text = await readFile(`${execRoot}/bundles/${id}/init.pid`, 'utf8');
  return Number(text);
}
