import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { hostLock } from './host-lock.ts';

const root = mkdtempSync(join(tmpdir(), 'gantry-locks-'));
after(() => rmSync(root, { recursive: true }));
const dir = join(root, 'locks');
const lock = (name: string, patience?: number) => hostLock(name, { dir, ...(patience && { patience }) });

test('one holder at a time; the next gets it when the first lets go', async () => {
  const first = await lock('turns');
  await assert.rejects(lock('turns', 50), { kind: 'unavailable' });
  let second = false;
  const waiting = lock('turns').then((held) => {
    second = true;
    return held;
  });
  await assert.rejects(lock('turns', 50), { kind: 'unavailable' });
  assert.equal(second, false);
  first[Symbol.dispose]();
  (await waiting)[Symbol.dispose]();
  assert.equal(second, true);
});

test('different names do not wait for each other', async () => {
  using _ = await lock('one');
  using __ = await lock('other', 50);
});

test('it is between processes, and ends with one that is killed', async () => {
  const script = `
    import { hostLock } from ${JSON.stringify(join(import.meta.dirname, 'host-lock.ts'))};
    await hostLock('shared', { dir: ${JSON.stringify(dir)} });
    console.log('held');
    setInterval(() => {}, 1000);`;
  const other = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await once(other.stdout, 'data');
  await assert.rejects(lock('shared', 50), { kind: 'unavailable' });
  other.kill('SIGKILL');
  await once(other, 'exit');
  using _ = await lock('shared', 50);
});

test('nobody but its owner can hold it', async () => {
  using _ = await lock('mine');
  assert.equal(statSync(dir).mode & 0o777, 0o700);
});
