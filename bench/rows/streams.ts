import { command } from '../../test/support/target.ts';
import { type BenchTarget, cli, post, type Row, timed } from '../measure.ts';

const LINE = 'x'.repeat(63);

/** Runs the official command line and gives the number of bytes it prints. `wc` counts them, because it reads faster than the client writes. */
async function drained(target: BenchTarget, args: string[]): Promise<number> {
  const counting = 'set -o pipefail; docker "$@" | wc -c';
  const { code, stdout } = await command('bash', ['-c', counting, 'bash', '-H', `unix://${target.socket}`, ...args]);
  if (code !== 0) throw new Error(`docker ${args.join(' ')} on ${target.name}: exit ${code}`);
  return Number(stdout);
}

function expect(actual: number, wanted: number): void {
  if (actual !== wanted) throw new Error(`${actual} bytes came instead of ${wanted}`);
}

/** Rows about what flows out of containers. */
export const streamRows: Row[] = [
  {
    name: 'CLI exec true',
    rounds: 15,
    budget: 0.7,
    unit: 'ms',
    prepare: async (target) =>
      void (await cli(target, 'run', '-d', '--name', 'bench-exec', 'busybox', 'sleep', '1000')),
    measure: (target) => timed(() => cli(target, 'exec', 'bench-exec', 'true')),
    cleanup: async (target) => void (await cli(target, 'rm', '-f', 'bench-exec')),
  },
  {
    name: 'CLI run --rm printing 512 MB',
    rounds: 3,
    budget: 0.7,
    unit: 'ms',
    measure: (target) =>
      timed(async () => {
        const writer = ['dd', 'if=/dev/zero', 'bs=64k', 'count=8192'];
        expect(
          await drained(target, ['run', '--rm', '-a', 'stdout', '--log-driver', 'none', 'busybox', ...writer]),
          536870912,
        );
      }),
  },
  {
    name: 'a million 64-byte log lines written and read',
    rounds: 3,
    budget: 0.35,
    unit: 'ms',
    measure: async (target) => {
      const took = await timed(async () => {
        await cli(target, 'run', '-d', '--name', 'bench-log', 'busybox', 'sh', '-c', `yes ${LINE} | head -n 1000000`);
        await post(target, 'POST', '/containers/bench-log/wait');
        expect(await drained(target, ['logs', 'bench-log']), 64_000_000);
      });
      await cli(target, 'rm', '-f', 'bench-log');
      return took;
    },
  },
];
