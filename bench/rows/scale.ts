import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { command } from '../../test/support/target.ts';
import { type BenchTarget, cli, post, type Row, timed } from '../measure.ts';

/** Proportional set size of the engine's processes, in bytes: shared pages count by their share. */
async function engineMemory(target: BenchTarget): Promise<number> {
  let kilobytes = 0;
  for (const pid of await target.engineProcesses()) {
    const rollup = await readFile(`/proc/${pid}/smaps_rollup`, 'utf8').catch(() => '');
    kilobytes += Number(/^Pss:\s+(\d+) kB/m.exec(rollup)?.[1] ?? 0);
  }
  return kilobytes * 1024;
}

async function many(target: BenchTarget, count: number, extra: object): Promise<string[]> {
  const ids: string[] = [];
  for (let i = 0; i < count; i++) {
    const { Id } = await post(target, 'POST', '/containers/create', {
      Image: 'busybox',
      Cmd: ['sleep', '1000'],
      ...extra,
    });
    ids.push(String(Id));
  }
  return ids;
}

async function removeAll(target: BenchTarget, ids: readonly string[]): Promise<void> {
  for (const id of ids) await post(target, 'DELETE', `/containers/${id}?force=1`);
}

const published = {
  ExposedPorts: { '80/tcp': {} },
  HostConfig: { PortBindings: { '80/tcp': [{ HostIp: '127.0.0.1', HostPort: '' }] } },
};

let listed: string[] = [];

/** Time of a list of all containers when `count` exist. */
const listRow = (count: number): Row => ({
  name: `GET /containers/json?all=1 with ${count} containers`,
  rounds: 15,
  budget: 0.5,
  unit: 'ms',
  prepare: async (target) => {
    listed = await many(target, count, {});
  },
  measure: (target) => timed(() => post(target, 'GET', '/containers/json?all=1')),
  cleanup: (target) => removeAll(target, listed),
});

/** Rows about cost that could grow with numbers. */
export const scaleRows: Row[] = [
  {
    name: 'memory of the engine per running container with a port',
    rounds: 1,
    budget: 0.25,
    unit: 'MB',
    measure: async (target) => {
      const count = 20;
      const before = await engineMemory(target);
      const ids = await many(target, count, published);
      for (const id of ids) await post(target, 'POST', `/containers/${id}/start`);
      const after = await engineMemory(target);
      await removeAll(target, ids);
      return (after - before) / count / 1e6;
    },
  },
  listRow(200),
  listRow(500),
  {
    name: 'stats with 100 containers',
    rounds: 5,
    budget: 1,
    unit: 'ms',
    prepare: async (target) => {
      listed = await many(target, 100, {});
      for (const id of listed) await post(target, 'POST', `/containers/${id}/start`);
    },
    // Two looks a second apart are what percentages take.
    measure: (target) => timed(() => cli(target, 'stats', '--no-stream')),
    cleanup: (target) => removeAll(target, listed),
  },
  {
    name: 'own CLI version against docker version',
    rounds: 15,
    budget: 3,
    unit: 'ms',
    measure: (target) =>
      target.name === 'dockerd'
        ? timed(() => cli(target, 'version'))
        : timed(async () => {
            const own = join(import.meta.dirname, '..', '..', 'gantry');
            const { code, stderr } = await command(own, ['-H', `unix://${target.socket}`, 'version']);
            if (code !== 0) throw new Error(stderr);
          }),
  },
];
