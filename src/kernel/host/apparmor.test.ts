import assert from 'node:assert/strict';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { apparmorProfileText, confinementOf, loadApparmorProfile } from './apparmor.ts';

const dir = mkdtempSync(join(tmpdir(), 'gantry-apparmor-'));
after(() => rmSync(dir, { recursive: true }));

/** A program in the parser's place. */
function parser(name: string, script: string): string {
  const path = join(dir, name);
  writeFileSync(path, `#!/bin/sh\n${script}\n`);
  chmodSync(path, 0o755);
  return path;
}

const none = join(dir, 'profiles');

test('the profile denies what a container must not do, and lets the engine signal it', () => {
  const text = apparmorProfileText('/usr/bin/engine');
  assert.match(text, /^profile docker-default flags=\(attach_disconnected,mediate_deleted\) \{$/m);
  for (const rule of ['mount', '@{PROC}/kcore rwklx', '@{PROC}/sysrq-trigger rwklx', '/sys/firmware/** rwklx']) {
    assert.ok(text.includes(`\n  deny ${rule},\n`), rule);
  }
  const senders = [...text.matchAll(/signal \(receive\) peer=(\S+),/g)].map(([, peer]) => peer);
  assert.deepEqual(senders, ['unconfined', 'runc', 'crun', '/usr/bin/engine']);
  assert.equal(apparmorProfileText('unconfined').match(/peer=unconfined/g)?.length, 1);
  assert.equal(text.split('{').length, text.split('}').length, 'every brace is closed');
});

test('an engine’s own confinement is read', () => {
  assert.equal(confinementOf('unconfined\n'), 'unconfined');
  assert.equal(confinementOf('/usr/bin/engine (enforce)\n'), '/usr/bin/engine');
  assert.equal(confinementOf(''), 'unconfined');
});

test('it is loaded through the parser', async () => {
  await loadApparmorProfile(parser('loads', `echo "$@" >${dir}/args; cat >${dir}/text`), none);
  assert.equal(readFileSync(join(dir, 'args'), 'utf8'), '-Kr\n');
  assert.match(readFileSync(join(dir, 'text'), 'utf8'), /^profile docker-default /m);
});

test('one that is there already stays', async () => {
  writeFileSync(none, 'other (enforce)\ndocker-default (enforce)\n');
  await loadApparmorProfile('/nonexistent', none);
  rmSync(none);
});

test('a parser that refuses is told of', async () => {
  await assert.rejects(loadApparmorProfile(parser('fails', 'echo bad rule >&2; exit 1'), none), {
    kind: 'unavailable',
    message: /^the AppArmor profile docker-default could not be loaded: .*bad rule$/,
  });
});
