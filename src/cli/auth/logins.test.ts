import assert from 'node:assert/strict';
import { chmod, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { after, before, beforeEach, describe, test } from 'node:test';
import { authHeader, forgetLogin, INDEX_SERVER, keepLogin, keyOf, readLogin, serverOf } from './logins.ts';

/** Keeps what it is told in a file beside it, as helpers do in a keychain. */
const HELPER = `#!/bin/sh
kept=$(dirname "$0")/kept
case $1 in
  store) cat >"$kept" ;;
  erase) rm -f "$kept" ;;
  get) [ -e "$kept" ] && cat "$kept" || { echo credentials not found in native keychain; exit 1; } ;;
esac
`;

let dir = '';
const path = process.env['PATH'];
const file = async (): Promise<unknown> => JSON.parse(await readFile(join(dir, 'config.json'), 'utf8'));
const ANN = { username: 'ann', password: 'a:b', serveraddress: 'host:5000' };

describe('logins', () => {
  before(async () => {
    dir = await mkdtemp(join(tmpdir(), 'gantry-logins-'));
    await writeFile(join(dir, 'docker-credential-test'), HELPER);
    await chmod(join(dir, 'docker-credential-test'), 0o755);
    process.env['PATH'] = `${dir}${delimiter}${path}`;
  });
  after(async () => {
    process.env['PATH'] = path;
    await rm(dir, { recursive: true });
  });
  beforeEach(() => rm(join(dir, 'config.json'), { force: true }));

  test('a login is kept where Docker keeps it, beside what is not ours', async () => {
    await writeFile(
      join(dir, 'config.json'),
      JSON.stringify({ HttpHeaders: { a: 'b' }, auths: { other: { auth: 'eDp5' } } }),
    );
    assert.equal(await keepLogin(dir, ANN), true);
    const auth = Buffer.from('ann:a:b').toString('base64');
    assert.deepEqual(await file(), {
      HttpHeaders: { a: 'b' },
      auths: { other: { auth: 'eDp5' }, 'host:5000': { auth } },
    });
    assert.equal((await stat(join(dir, 'config.json'))).mode & 0o777, 0o600);
    assert.deepEqual(await readLogin(dir, 'host:5000'), ANN);
    await forgetLogin(dir, 'host:5000');
    assert.deepEqual(await file(), { HttpHeaders: { a: 'b' }, auths: { other: { auth: 'eDp5' } } });
  });

  test('an identity token stands instead of the password', async () => {
    await keepLogin(dir, { ...ANN, identitytoken: 'long' });
    assert.deepEqual(await readLogin(dir, 'host:5000'), {
      username: 'ann',
      password: '',
      identitytoken: 'long',
      serveraddress: 'host:5000',
    });
    assert.doesNotMatch(await readFile(join(dir, 'config.json'), 'utf8'), /YTpi/);
  });

  test('a helper keeps the secret', async () => {
    await writeFile(join(dir, 'config.json'), JSON.stringify({ credHelpers: { 'host:5000': 'test' } }));
    assert.equal(await readLogin(dir, 'host:5000'), undefined);
    assert.equal(await keepLogin(dir, ANN), false);
    assert.doesNotMatch(await readFile(join(dir, 'config.json'), 'utf8'), /ann/);
    assert.deepEqual(await readLogin(dir, 'host:5000'), ANN);
    await forgetLogin(dir, 'host:5000');
    assert.equal(await readLogin(dir, 'host:5000'), undefined);
    await writeFile(join(dir, 'config.json'), JSON.stringify({ credsStore: 'nosuch' }));
    await assert.rejects(readLogin(dir, 'x'), { kind: 'unavailable', message: /docker-credential-nosuch/ });
  });

  test('names and addresses lead to the same login', async () => {
    for (const name of ['busybox', 'ann/app', 'docker.io/busybox']) assert.equal(serverOf(name), INDEX_SERVER, name);
    assert.equal(serverOf('host:5000/app'), 'host:5000');
    assert.equal(serverOf('localhost/app'), 'localhost');
    for (const address of ['', 'docker.io', 'https://index.docker.io/v1/'])
      assert.equal(keyOf(address), INDEX_SERVER, address);
    assert.equal(keyOf('https://host:5000/v2/'), 'host:5000');
    await writeFile(join(dir, 'config.json'), JSON.stringify({ auths: { 'https://host:5000/v1/': { auth: 'YTpi' } } }));
    const header = await authHeader(dir, 'host:5000/app');
    assert.deepEqual(JSON.parse(Buffer.from(header, 'base64url').toString()), {
      username: 'a',
      password: 'b',
      serveraddress: 'host:5000',
    });
    assert.equal(Buffer.from(await authHeader(dir, 'busybox'), 'base64url').toString(), '{}');
  });

  test('a broken file is told by its name', async () => {
    await writeFile(join(dir, 'config.json'), '{');
    await assert.rejects(readLogin(dir, 'x'), {
      kind: 'invalid',
      message: /^Error loading config file: .*config\.json/,
    });
  });
});
