import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { killFamily } from './kill-family.ts';
import { hostProcesses } from './processes.ts';

test('a process goes with its children and theirs', async () => {
  const child = spawn('sh', ['-c', 'sh -c "sleep 1000 & echo \\$!; wait" & wait'], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const grandchild = await new Promise<number>((resolve) => {
    child.stdout.once('data', (data: Buffer) => resolve(Number(data.toString())));
  });
  await killFamily(child.pid ?? 0);
  for (let i = 0; i < 500 && isAlive(grandchild); i++) await sleep(10);
  assert.equal(isAlive(grandchild), false);
});

test('none escapes by forking on and on', async () => {
  // Every one of the family has it among its arguments.
  const name = String(1_000_000 + process.pid);
  const script = `while :; do sh -c 'while :; do sleep ${name} & sleep 0.001; done' ${name} & sleep 0.002; done`;
  const child = spawn('sh', ['-c', script], { stdio: 'ignore' });
  await sleep(100);
  await killFamily(child.pid ?? 0);
  const left = () => hostProcesses().filter(({ args }) => args.includes(name));
  for (let i = 0; i < 500 && left().length > 0; i++) await sleep(10);
  assert.deepEqual(left(), []);
});

/** A dead child of a process that does not wait for it is a zombie, without arguments. */
function isAlive(pid: number): boolean {
  if (!existsSync(`/proc/${pid}`)) return false;
  try {
    process.kill(pid, 0);
  } catch {
    return false;
  }
  return existsSync(`/proc/${pid}/exe`);
}
