import { randomFillSync } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type BenchTarget, cli, type Row, timed } from '../measure.ts';

const SIZE = 128 << 20;
const NAME = 'bench-files';

/** A directory of the host's for what goes in and out. */
let dir = '';

async function prepare(target: BenchTarget): Promise<void> {
  dir = await mkdtemp(join(tmpdir(), 'gantry-bench-'));
  await writeFile(join(dir, 'in'), randomFillSync(Buffer.allocUnsafe(SIZE)));
  await cli(target, 'run', '-d', '--name', NAME, 'busybox', 'sleep', '1000');
  await cli(target, 'cp', join(dir, 'in'), `${NAME}:/file`);
}

async function cleanup(target: BenchTarget): Promise<void> {
  await cli(target, 'rm', '-f', NAME);
  await rm(dir, { recursive: true });
}

/** Rows about files that go into containers and out of them. */
export const fileRows: Row[] = [
  {
    name: 'cp of 128 MB into a container',
    rounds: 9,
    budget: 0.7,
    unit: 'ms',
    prepare,
    measure: (target) => timed(() => cli(target, 'cp', join(dir, 'in'), `${NAME}:/file`)),
    cleanup,
  },
  {
    name: 'cp of 128 MB out of a container',
    rounds: 9,
    budget: 0.7,
    unit: 'ms',
    prepare,
    measure: async (target) => {
      const took = await timed(() => cli(target, 'cp', `${NAME}:/file`, join(dir, 'out')));
      await rm(join(dir, 'out'));
      return took;
    },
    cleanup,
  },
];
