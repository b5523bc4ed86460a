import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { eventually } from './containers.ts';
import { expectSame } from './expect-same.ts';
import type { TestEngine } from './gantry.ts';
import { command } from './target.ts';

/** Where containers of a fault test go in every cgroup hierarchy, so that what stays of them can be told from others'. */
export const cgroupParent = (engine: TestEngine): string => `/traces-${tagOf(engine.dataRoot)}`;

/**
 * Removes all containers of an engine, each of which must go, and asserts that nothing of them is left while the engine
 * goes on.
 */
export async function assertCleared(engine: TestEngine): Promise<void> {
  await removeAll(engine);
  await expectNone('of the containers', () => [
    ...directories(engine),
    ...cgroups(engine),
    ...processes(engine, /^\S*runc /),
  ]);
  await expectNone('mounted', () => mounts(engine));
}

/**
 * Removes all containers of an engine, ends it, and asserts that nothing of it is left on the host but its images: no
 * mount, namespace, interface, firewall rule, cgroup, process, FIFO, directory or file in the making.
 */
export async function assertNoTraces(engine: TestEngine): Promise<void> {
  await removeAll(engine);
  const info = (await engine.api('GET', '/info')).json<{ ID: string }>();
  const tag = createHash('sha256').update(info.ID).digest('hex').slice(0, 6);
  await engine.terminate();
  await expectNone('of the containers', () => [...directories(engine), ...cgroups(engine)]);
  await expectNone('running', () => processes(engine, /./));
  await expectNone('mounted', () => mounts(engine));
  await expectNone('of the FIFOs', () => below(join(engine.execRoot, 'io')));
  await expectNone('of the network', async () => [
    ...below('/run/netns').filter((path) => path.includes(`gantry-${tag}-`)),
    ...below('/sys/class/net').filter((path) => /\/(gv|gtry)/.test(path) && path.includes(tag)),
    ...(await command('nft', ['list', 'tables'])).stdout.split('\n').filter((line) => line.includes(`gantry_${tag}`)),
  ]);
  for (const root of cgroupRoots()) await command('rmdir', [join(root, cgroupParent(engine))]);
}

async function removeAll(engine: TestEngine): Promise<void> {
  const list = async () => (await engine.api('GET', '/containers/json?all=1')).json<{ Id: string }[]>();
  for (const { Id } of await list()) {
    const { status, text } = await engine.api('DELETE', `/containers/${Id}?force=1&v=1`);
    // Settled and auto-removed between the list and the call.
    assert.ok(status === 204 || status === 404 || (status === 409 && text.includes('already in progress')), text);
  }
  await eventually('an empty list', async () => (await list()).length === 0);
}

/** What goes on its own time, such as a killed process, gets a moment. */
async function expectNone(what: string, look: () => string[] | Promise<string[]>): Promise<void> {
  await expectSame(async () => await look(), [], `nothing is left ${what}`);
}

/** Whatever lies where a container, its process, an exec, or something in the making would. */
function directories({ dataRoot, execRoot }: TestEngine): string[] {
  const data = ['containers', 'content/ingest', 'tmp'].flatMap((name) => below(join(dataRoot, name)));
  const layers = below(join(dataRoot, 'layers')).filter((path) => path.endsWith('.tmp'));
  return [...data, ...layers, ...['bundles', 'execs', 'network'].flatMap((name) => below(join(execRoot, name)))];
}

function cgroups(engine: TestEngine): string[] {
  return cgroupRoots().flatMap((root) =>
    below(join(root, cgroupParent(engine))).filter((path) => existsSync(join(path, 'cgroup.procs'))),
  );
}

/** The mount points of all hierarchies. */
function cgroupRoots(): string[] {
  const lines = readFileSync('/proc/self/mountinfo', 'utf8').split('\n');
  return lines.filter((line) => / - cgroup2? /.test(line)).map((line) => line.split(' ')[4] ?? '');
}

function mounts({ dataRoot, execRoot }: TestEngine): string[] {
  const lines = readFileSync('/proc/self/mountinfo', 'utf8').split('\n');
  return lines.filter((line) => [dataRoot, execRoot].some((root) => line.split(' ')[4]?.startsWith(`${root}/`)));
}

/** Processes but the daemon that have one of the roots in their command line, environment or working directory: `pid command line`. */
export function processes({ dataRoot, execRoot, pid: daemon }: TestEngine, name: RegExp): string[] {
  const pids = readdirSync('/proc').filter((entry) => /^\d+$/.test(entry));
  return pids.flatMap((pid) => {
    if ([process.pid, daemon()].includes(Number(pid))) return [];
    const commandLine = read(`/proc/${pid}/cmdline`).replaceAll('\0', ' ');
    const seen = [commandLine, read(`/proc/${pid}/environ`), directoryOf(pid)].join(' ');
    const ours = seen.includes(dataRoot) || seen.includes(execRoot);
    return ours && name.test(commandLine) ? [`${pid} ${commandLine}`] : [];
  });
}

function directoryOf(pid: string): string {
  try {
    return readlinkSync(`/proc/${pid}/cwd`);
  } catch {
    return '';
  }
}

function read(path: string): string {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return '';
  }
}

function below(dir: string): string[] {
  try {
    return readdirSync(dir).map((name) => join(dir, name));
  } catch {
    return [];
  }
}

function tagOf(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 12);
}
