import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { importBusybox } from '../test/support/both.ts';
import { run } from '../test/support/containers.ts';
import { startGantry, type TestEngine } from '../test/support/gantry.ts';

// What an engine holds while containers come and go, and what it costs while a hundred of them do nothing.

const [cycles = 1000, idle = 100] = process.argv.slice(2).map(Number);
const ROWS = 10;
/** Seconds over which the work of an idle engine is measured. */
const IDLE_SECONDS = 20;
const CLOCK_TICKS = 100;

/** Entries of a directory, with all below it; those that go meanwhile are left out. */
function below(dir: string): number {
  try {
    return readdirSync(dir, { recursive: true }).length;
  } catch {
    return 0;
  }
}

const list = (dir: string): string[] => {
  try {
    return readdirSync(dir);
  } catch {
    return [];
  }
};

/** Processes that were started for this engine: their command lines name its roots. */
function processes({ execRoot, pid }: TestEngine): number[] {
  const own = (id: number): boolean => {
    try {
      return readFileSync(`/proc/${id}/cmdline`, 'utf8').includes(execRoot) || id === pid();
    } catch {
      return false;
    }
  };
  return list('/proc')
    .map(Number)
    .filter((id) => id > 0 && own(id));
}

const rss = (id: number): number => {
  const [, kilobytes = '0'] = /^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${id}/status`, 'utf8')) ?? [];
  return Number(kilobytes) / 1024;
};

/** Cgroups of containers: 64 hex digits somewhere in the tree of the memory controller, or in the one tree there is. */
const cgroups = (ids: ReadonlySet<string>): number =>
  ['/sys/fs/cgroup/memory', '/sys/fs/cgroup'].flatMap((root) =>
    list(root).flatMap((name) => list(`${root}/${name}`).filter((inner) => ids.has(inner))),
  ).length;

interface Held {
  cycle: number;
  'engine MB': number;
  'all MB': number;
  descriptors: number;
  processes: number;
  files: number;
  namespaces: number;
  mounts: number;
  cgroups: number;
}

function held(engine: TestEngine, cycle: number, ids: ReadonlySet<string>, prefix: string): Held {
  const all = processes(engine);
  return {
    cycle,
    'engine MB': Math.round(rss(engine.pid())),
    'all MB': Math.round(all.reduce((sum, id) => sum + rss(id), 0)),
    descriptors: list(`/proc/${engine.pid()}/fd`).length,
    processes: all.length,
    files: below(engine.dataRoot) + below(engine.execRoot),
    namespaces: list('/run/netns').filter((name) => name.startsWith(prefix)).length,
    mounts: readFileSync(`/proc/${engine.pid()}/mounts`, 'utf8').split(engine.execRoot).length - 1,
    cgroups: cgroups(ids),
  };
}

/** Seconds of processor time a process has used. */
function used(id: number): number {
  const fields = readFileSync(`/proc/${id}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
  return (Number(fields[11]) + Number(fields[12])) / CLOCK_TICKS;
}

async function measureIdle(engine: TestEngine): Promise<void> {
  for (let i = 0; i < idle; i++) await run(engine, 'exec sleep 1000000');
  await sleep(3000);
  const [before, start] = [used(engine.pid()), performance.now()];
  await sleep(IDLE_SECONDS * 1000);
  const share = ((used(engine.pid()) - before) * 1e5) / (performance.now() - start);
  console.log(
    `idle with ${idle} running containers: ${share.toFixed(2)} % of a core, ${Math.round(rss(engine.pid()))} MB`,
  );
}

async function startAndStop(engine: TestEngine, ids: Set<string>): Promise<void> {
  await using made = await run(engine, 'echo started; exec sleep 1000', {
    HostConfig: { PortBindings: { '80/tcp': [{}] } },
  });
  ids.add(made.id);
  const stopped = await engine.api('POST', `${made.path}/stop?t=0`);
  assert.equal(stopped.status, 204, stopped.text);
}

/** How the names of this engine's namespaces begin: other engines may have some, too. */
async function namespacePrefix(engine: TestEngine): Promise<string> {
  await using made = await run(engine, 'exec sleep 1000');
  const details = (await engine.api('GET', `${made.path}/json`)).json<{ NetworkSettings: { SandboxKey: string } }>();
  return basename(details.NetworkSettings.SandboxKey).replace(/[^-]*$/, '');
}

await using engine = await startGantry([], { level: 'info' });
await importBusybox(engine);
const prefix = await namespacePrefix(engine);
const ids = new Set<string>();
const rows: Held[] = [];
for (let done = 0; done <= cycles; done++) {
  if (done % Math.ceil(cycles / ROWS) === 0) {
    await sleep(1000);
    rows.push(held(engine, done, ids, prefix));
    console.log(JSON.stringify(rows.at(-1)));
  }
  if (done < cycles) await startAndStop(engine, ids);
}
console.table(rows);
if (idle > 0) await measureIdle(engine);
