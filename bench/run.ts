import { readdir, readFile } from 'node:fs/promises';
import { importBusybox } from '../test/support/both.ts';
import { startDockerd } from '../test/support/dockerd.ts';
import { startGantry } from '../test/support/gantry.ts';
import { type BenchTarget, median, type Row } from './measure.ts';
import { fileRows } from './rows/files.ts';
import { imageRows } from './rows/images.ts';
import { lifeRows } from './rows/life.ts';
import { scaleRows } from './rows/scale.ts';
import { streamRows } from './rows/streams.ts';

// Usage: node bench/run.ts [words…]   measures the rows whose name contains one of the words; without words, all.

/** Every process below `root`, and those whose command line or environment names the engine's exec root. */
async function processesOf(root: number, marks: readonly string[]): Promise<number[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map(Number);
  const found: number[] = [];
  for (const pid of pids) {
    const line = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
    if (pid === root || marks.some((mark) => line.includes(mark))) found.push(pid);
  }
  return found;
}

async function measureRow(row: Row, targets: readonly BenchTarget[]): Promise<number[]> {
  const figures: number[][] = targets.map(() => []);
  for (const [index, target] of targets.entries()) {
    await row.prepare?.(target);
    if (row.prepare !== undefined && row.cleanup !== undefined) {
      // What was prepared may weigh on the host, so each engine is measured with its own in place and the other's gone.
      for (let i = 0; i < row.rounds; i++) figures[index]?.push(await row.measure(target));
      await row.cleanup(target);
    }
  }
  if (row.prepare === undefined || row.cleanup === undefined) {
    for (let i = 0; i < row.rounds; i++) {
      for (const [index, target] of targets.entries()) figures[index]?.push(await row.measure(target));
    }
  }
  return figures.map(median);
}

const words = process.argv.slice(2);
const rows = [...lifeRows, ...streamRows, ...fileRows, ...imageRows, ...scaleRows].filter(
  ({ name }) => words.length === 0 || words.some((word) => name.includes(word)),
);
await using gantry = await startGantry([], { level: 'info' });
await using dockerd = await startDockerd({ firewall: true });
const targets: BenchTarget[] = [
  { ...gantry, engineProcesses: () => processesOf(gantry.pid(), [gantry.execRoot]) },
  { ...dockerd, engineProcesses: () => processesOf(dockerd.pid, [dockerd.root]) },
];
for (const target of targets) await importBusybox(target);
console.log('| work | gantry | dockerd | ratio | budget | |');
console.log('|---|---|---|---|---|---|');
for (const row of rows) {
  const [ours = Number.NaN, theirs = Number.NaN] = await measureRow(row, targets);
  const ratio = ours / theirs;
  const show = (value: number): string => `${value.toFixed(value < 10 ? 2 : 0)} ${row.unit}`;
  const verdict = ratio <= row.budget ? 'within' : 'missed';
  console.log(`| ${row.name} | ${show(ours)} | ${show(theirs)} | ${ratio.toFixed(2)} | ${row.budget} | ${verdict} |`);
}
