import assert from 'node:assert/strict';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { run } from '../../util/spawn.ts';
import { unitText } from './unit-text.ts';

const execStart = (words: readonly string[]): string => /^ExecStart=(.*)$/m.exec(unitText(words))?.[1] ?? '';

test('containers outlive the unit, and it comes back', () => {
  const text = unitText(['/usr/bin/gantry', 'daemon']);
  for (const line of ['KillMode=process', 'Delegate=yes', 'Restart=always', 'WantedBy=multi-user.target']) {
    assert.ok(text.includes(`\n${line}\n`), line);
  }
});

test('words are taken as they are', () => {
  assert.equal(execStart(['/usr/bin/gantry', 'daemon']), '/usr/bin/gantry daemon');
  assert.equal(execStart(['/my programs/gantry', 'daemon']), '"/my programs/gantry" daemon');
  assert.equal(execStart(['/100%/$HOME/"x"\\']), '"/100%%/$$HOME/\\"x\\"\\\\"');
});

const verify = await run('systemd-analyze', ['--version'], { allowFailure: true }).then(
  ({ code }) => code === 0,
  () => false,
);

test('systemd has nothing against it', { skip: !verify && 'there is no systemd-analyze' }, async () => {
  const dir = mkdtempSync(join(tmpdir(), 'gantry-unit-'));
  try {
    const program = join(dir, 'gantry');
    writeFileSync(program, '#!/bin/sh\n');
    chmodSync(program, 0o755);
    const path = join(dir, 'gantry.service');
    writeFileSync(path, unitText([program, 'daemon']));
    const { stdout, stderr } = await run('systemd-analyze', ['verify', path], { allowFailure: true });
    const about = `${stdout}${stderr}`.split('\n').filter((line) => line.includes('gantry'));
    assert.deepEqual(about, []);
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
});
