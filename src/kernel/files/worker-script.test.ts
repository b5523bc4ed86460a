import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { SYSCALL_NUMBERS } from './syscall-numbers.ts';
import { workerScript } from './worker-script.ts';
import { VERBS, type Verb } from './worker-verbs.ts';

const HEADERS = {
  x64: '/usr/include/x86_64-linux-gnu/asm/unistd_64.h',
  arm64: '/usr/include/asm-generic/unistd.h',
} as const;

test('every program is sound under strict, without a warning', () => {
  for (const verb of Object.keys(VERBS) as Verb[]) {
    const program = workerScript(verb);
    const { stderr } = spawnSync('perl', ['-Mstrict', '-Mwarnings', '-Mbytes', '-c', '-e', program], {
      encoding: 'utf8',
    });
    assert.equal(stderr, '-e syntax OK\n', verb);
  }
});

for (const arch of ['x64', 'arm64'] as const) {
  const header = HEADERS[arch];
  const there = existsSync(header) ? {} : { skip: `${header} is not installed` };
  test(`the numbers of ${arch} are those of the kernel's header`, there, () => {
    const text = readFileSync(header, 'utf8');
    for (const [name, number] of Object.entries(SYSCALL_NUMBERS[arch])) {
      assert.equal(new RegExp(`^#define __NR(?:3264)?_${name}\\s+(\\d+)$`, 'm').exec(text)?.[1], String(number), name);
    }
  });
}

test('an architecture without numbers is named', () => {
  const { stdout } = spawnSync('perl', ['-e', workerScript('stat'), 'riscv64'], { encoding: 'latin1' });
  assert.match(stdout, /working on files on riscv64: function not implemented/);
});
