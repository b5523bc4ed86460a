import assert from 'node:assert/strict';
import { test } from 'node:test';
import { resolveUser } from './resolve-user.ts';

const PASSWD = `root:x:0:0:root:/root:/bin/sh
# a comment
daemon:x:1:1::/usr/sbin:/bin/false
www:x:33:34:www:/var/www:/bin/sh
1000:x:77:78:a name like a number:/seven:
broken:x:one:two
`;
const GROUP = `root:x:0:
daemon:x:1:www
www:x:34:
audio:x:29:www,root
staff:x:50:`;

const resolve = (spec: string, add: string[] = [], files: Record<string, string> = { passwd: PASSWD, group: GROUP }) =>
  resolveUser(spec, add, async (path) => {
    const content = files[path.replace('/etc/', '')];
    return content === undefined ? undefined : Buffer.from(content);
  });

test('root by default, with the groups that list root', async () => {
  assert.deepEqual(await resolve(''), { uid: 0, gid: 0, additionalGids: [0, 29], home: '/root' });
});

test('a name: its own group and those that list it', async () => {
  assert.deepEqual(await resolve('www'), { uid: 33, gid: 34, additionalGids: [34, 1, 29], home: '/var/www' });
});

test('a number of a known user is that user', async () => {
  assert.deepEqual(await resolve('33'), await resolve('www'));
});

test('an unknown number has group 0 and nothing else', async () => {
  assert.deepEqual(await resolve('4711'), { uid: 4711, gid: 0, additionalGids: [0], home: '' });
});

test('with a group only that one counts', async () => {
  assert.deepEqual((await resolve('www:staff')).additionalGids, [50]);
  assert.deepEqual(await resolve('10:20'), { uid: 10, gid: 20, additionalGids: [20], home: '' });
  assert.equal((await resolve(':staff')).uid, 0);
});

test('a name that looks like a number is a name first', async () => {
  assert.deepEqual(await resolve('1000'), { uid: 77, gid: 78, additionalGids: [78], home: '/seven' });
});

test('further groups, by name and number, once each', async () => {
  assert.deepEqual((await resolve('www', ['staff', '1', '99'])).additionalGids, [34, 1, 29, 50, 99]);
});

test('an image without the files knows numbers only', async () => {
  assert.deepEqual(await resolve('', [], {}), { uid: 0, gid: 0, additionalGids: [0], home: '' });
  await assert.rejects(resolve('www', [], {}), {
    kind: 'invalid',
    message: 'unable to find user www: no matching entries in passwd file',
  });
});

test('the errors of Docker', async () => {
  const refused = (work: Promise<unknown>, message: string) => assert.rejects(work, { kind: 'invalid', message });
  await refused(resolve('nope'), 'unable to find user nope: no matching entries in passwd file');
  await refused(resolve('broken'), 'unable to find user broken: no matching entries in passwd file');
  await refused(resolve('5:nope'), 'unable to find group nope: no matching entries in group file');
  await refused(resolve('', ['nope']), 'Unable to find group nope: no matching entries in group file');
  await refused(resolve('-5'), 'uids and gids must be in range 0-2147483647');
  await refused(resolve('99999999999'), 'uids and gids must be in range 0-2147483647');
  await refused(resolve('1:2147483648'), 'uids and gids must be in range 0-2147483647');
});
