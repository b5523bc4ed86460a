import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { importBusybox } from '../support/both.ts';
import { startGantry, type TestEngine } from '../support/gantry.ts';

// A part of a volume came with API 1.45; Debian's dockerd has none to compare with.

for (const flags of [[], ['--userns-remap', 'default']]) {
  describe(`a part of a volume ${flags.join(' ')}`, () => {
    let gantry: TestEngine;
    before(async () => {
      gantry = await startGantry(flags);
      await importBusybox(gantry);
      const script =
        'cd /v; mkdir -p sub/deep hack empty; echo hello >sub/deep/f; ln -s ../sub hack/good; ln -s / hack/root; ln -s root hack/bad';
      await ok('run', '--rm', '-v', 'parts:/v', 'busybox', 'sh', '-c', script);
    });
    after(async () => gantry[Symbol.asyncDispose]());

    async function ok(...args: string[]): Promise<string> {
      const { code, stdout, stderr } = await gantry.docker(args);
      assert.equal(code, 0, stderr);
      return stdout.trim();
    }

    const create = (Subpath: string, script: string, over: object = {}) =>
      gantry.api('POST', '/v1.45/containers/create', {
        Image: 'busybox',
        Cmd: ['sh', '-c', script],
        HostConfig: {
          Mounts: [{ Type: 'volume', Source: 'parts', Target: '/p', VolumeOptions: { Subpath }, ...over }],
        },
      });

    async function sees(Subpath: string, script: string, over: object = {}): Promise<string> {
      const id = (await create(Subpath, script, over)).json<{ Id: string }>().Id;
      const out = await ok('start', '-a', id);
      await ok('rm', id);
      return out;
    }

    const mounted = () =>
      readFileSync('/proc/self/mountinfo', 'utf8')
        .split('\n')
        .filter((line) => line.includes('/parts/'));

    test('is mounted as a directory, as a file, and through links within', async () => {
      assert.equal(await sees('sub', 'ls /p'), 'deep');
      assert.equal(await sees('sub/deep/../deep/f', 'cat /p'), 'hello');
      assert.equal(await sees('hack/good/deep', 'cat /p/f; echo more >/p/g'), 'hello');
      assert.equal(
        await sees('sub/deep', 'ls /p; touch /p/h 2>/dev/null || echo read-only', { ReadOnly: true }),
        'f\ng\nread-only',
      );
      assert.deepEqual(mounted(), []);
    });

    test('is looked for when the container starts, and never outside', async () => {
      for (const [subpath, status, message] of [
        ['later', 404, /^cannot access path ".*\/parts\/_data\/later": lstat .*: no such file or directory$/u],
        [
          'hack/root',
          400,
          /^path concatenation escapes the base directory, base: ".*\/parts\/_data", subpath: "hack\/root"$/u,
        ],
        ['hack/bad/etc', 400, /^path concatenation escapes the base directory, /u],
      ] as const) {
        const { Id } = (await create(subpath, 'cat /p/f')).json<{ Id: string }>();
        const refused = await gantry.api('POST', `/containers/${Id}/start`);
        assert.equal(refused.status, status, refused.text);
        assert.match(refused.json<{ message: string }>().message, message);
        const copied = await gantry.docker(['cp', `${Id}:/p`, '-']);
        assert.notEqual(copied.code, 0);
        if (subpath === 'later') {
          await ok('run', '--rm', '-v', 'parts:/v', 'busybox', 'sh', '-c', 'mkdir /v/later; echo now >/v/later/f');
          assert.equal(await ok('start', '-a', Id), 'now');
        }
        await ok('rm', Id);
      }
      const refused = await create('../x', 'true');
      assert.deepEqual(
        [refused.status, refused.json<{ message: string }>().message],
        [400, 'invalid mount config for type "volume": subpath must be a relative path within the volume'],
      );
      assert.deepEqual(mounted(), []);
    });

    test('is filled from the image when it is empty, shared, copied from, and shown as the volume it is of', async () => {
      const { Id } = (await create('empty', 'ls /etc/passwd', { Target: '/etc' })).json<{ Id: string }>();
      assert.equal(await ok('run', '--rm', '-v', 'parts:/v', 'busybox', 'ls', '/v/empty/passwd'), '/v/empty/passwd');
      assert.match(await ok('cp', `${Id}:/etc/passwd`, '-'), /root:x:0:0/u);
      const borrower = await ok('create', '--volumes-from', Id, 'busybox', 'ls', '/etc/passwd');
      await gantry.crash();
      await gantry.start();
      assert.equal(await ok('start', '-a', borrower), '/etc/passwd');
      const [mount] = JSON.parse(await ok('inspect', '--format', '{{json .Mounts}}', Id)) as {
        Source: string;
        Name: string;
      }[];
      assert.match(mount?.Source ?? '', /\/parts\/_data$/u);
      assert.equal(mount?.Name, 'parts');
      await ok('rm', '-v', Id, borrower);
      assert.deepEqual(mounted(), []);
    });
  });
}
