import assert from 'node:assert/strict';
import { test } from 'node:test';
import { familiarName, familiarString, parseAnyReference, parseReference, tagNameOnly, withTag } from './reference.ts';

const zeros = '0'.repeat(64);

test('defaults are filled in and taken out again', () => {
  const cases: [string, string, string][] = [
    ['busybox', 'docker.io/library/busybox', 'busybox'],
    ['a/b:c', 'docker.io/a/b', 'a/b:c'],
    ['index.docker.io/x', 'docker.io/library/x', 'x'],
    ['docker.io/library/x:1', 'docker.io/library/x', 'x:1'],
    ['localhost/x', 'localhost/x', 'localhost/x'],
    ['my.host:80/x/y:z', 'my.host:80/x/y', 'my.host:80/x/y:z'],
    ['[::1]:5000/x', '[::1]:5000/x', '[::1]:5000/x'],
    ['HOST/x', 'HOST/x', 'HOST/x'],
    ['a_b.c-d__e/f', 'a_b.c-d__e/f', 'a_b.c-d__e/f'],
    ['library/a/b', 'docker.io/library/a/b', 'library/a/b'],
    [`x:1@sha256:${zeros}`, 'docker.io/library/x', `x:1@sha256:${zeros}`],
  ];
  for (const [text, name, familiar] of cases) {
    const parsed = parseReference(text);
    assert.equal(parsed.name, name, text);
    assert.equal(familiarString(parsed), familiar, text);
  }
});

test('bad references fail in the words of Docker', () => {
  const cases: [string, string][] = [
    ['', 'invalid reference format'],
    ['Foo', 'invalid reference format: repository name must be lowercase'],
    ['a/Foo', 'invalid reference format: repository name must be lowercase'],
    ['foo:bar:baz', 'invalid reference format'],
    ['foo@sha256:12', 'invalid reference format'],
    [`foo@sha256:${'0'.repeat(40)}`, 'invalid checksum digest length'],
    [`foo@md5:${'0'.repeat(32)}`, 'unsupported digest algorithm'],
    ['-x', 'invalid reference format'],
    ['a//b', 'invalid reference format'],
    ['x:', 'invalid reference format'],
    ['a'.repeat(300), 'repository name must not be more than 255 characters'],
    [zeros, `invalid repository name (${zeros}), cannot specify 64-byte hexadecimal strings`],
  ];
  for (const [text, message] of cases) assert.throws(() => parseReference(text), { kind: 'invalid', message }, text);
});

test('an id is a digest, anything else a name', () => {
  assert.equal(parseAnyReference(zeros), `sha256:${zeros}`);
  assert.equal(parseAnyReference(`sha256:${zeros}`), `sha256:${zeros}`);
  assert.deepEqual(parseAnyReference('sha256:00'), { name: 'docker.io/library/sha256', tag: '00' });
});

test('tags are added and replaced', () => {
  const x = parseReference('x');
  assert.equal(tagNameOnly(x).tag, 'latest');
  assert.equal(tagNameOnly(parseReference(`x@sha256:${zeros}`)).tag, undefined);
  assert.deepEqual(withTag(parseReference('x:1'), '2'), { name: 'docker.io/library/x', tag: '2' });
  assert.throws(() => withTag(x, '/'), { kind: 'invalid', message: 'invalid tag format' });
  assert.equal(familiarName('docker.io/library/x'), 'x');
});
