import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { securityConfig } from './security-config.ts';

const dir = mkdtempSync(join(tmpdir(), 'gantry-security-'));
after(() => rmSync(dir, { recursive: true }));
const file = (name: string, text: string): string => {
  const path = join(dir, name);
  writeFileSync(path, text);
  return path;
};

test('without configuration, and with all of it', async () => {
  assert.deepEqual(await securityConfig({}), {
    seccompProfile: 'builtin',
    usernsRemap: '',
    initPath: '',
    specDefaults: { seccomp: 'builtin', noNewPrivileges: false, init: false, ulimits: [] },
  });
  const profile = file('profile.json', '{"defaultAction":"SCMP_ACT_ALLOW"}');
  const flags = { 'init-path': '/bin/true', 'userns-remap': 'default', 'no-new-privileges': true, init: true };
  const given = { 'seccomp-profile': profile, ...flags };
  assert.deepEqual(await securityConfig(given), {
    seccompProfile: profile,
    usernsRemap: 'default',
    initPath: '/bin/true',
    specDefaults: { seccomp: '{"defaultAction":"SCMP_ACT_ALLOW"}', noNewPrivileges: true, init: true, ulimits: [] },
  });
  assert.equal((await securityConfig({ 'seccomp-profile': 'unconfined' })).specDefaults.seccomp, 'unconfined');
});

test('files that are not what they should be', async () => {
  const refused = (given: object, message: RegExp) =>
    assert.rejects(securityConfig(given), { kind: 'invalid', message });
  await refused({ 'seccomp-profile': '/nonexistent' }, /^opening seccomp profile \(\/nonexistent\) failed: ENOENT/);
  await refused({ 'seccomp-profile': file('bad.json', '{') }, /^opening seccomp profile \(.*bad.json\) failed: /);
  await refused({ 'init-path': '/nonexistent' }, /^init-path: "\/nonexistent" is not an executable file$/);
});
