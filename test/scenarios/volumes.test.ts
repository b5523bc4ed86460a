import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onBoth } from '../support/both.ts';
import type { Target } from '../support/target.ts';

async function ok(target: Target, ...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await target.docker(args);
  assert.equal(code, 0, stderr);
  return stdout.trim();
}

const run = (target: Target, ...args: string[]) => ok(target, 'run', '--rm', ...args);

onBoth('volumes', {
  'a named one outlives its containers and is in use while one is there': async (target) => {
    await ok(target, 'volume', 'create', 'scenario-data');
    await run(target, '-v', 'scenario-data:/d', 'busybox', 'sh', '-c', 'echo kept >/d/f');
    assert.equal(await run(target, '-v', 'scenario-data:/d:ro', 'busybox', 'cat', '/d/f'), 'kept');
    const id = await ok(target, 'create', '-v', 'scenario-data:/d', 'busybox', 'true');
    const mounts = JSON.parse(await ok(target, 'inspect', '--format', '{{json .Mounts}}', id)) as object[];
    const { Source: _, ...mount } = mounts[0] as { Source: string };
    assert.deepEqual(mount, {
      Type: 'volume',
      Name: 'scenario-data',
      Destination: '/d',
      Driver: 'local',
      Mode: 'z',
      RW: true,
      Propagation: '',
    });
    const refused = await target.api('DELETE', '/volumes/scenario-data');
    assert.equal(refused.status, 409);
    assert.equal(
      refused.json<object & { message: string }>().message,
      `remove scenario-data: volume is in use - [${id}]`,
    );
    await ok(target, 'rm', '-v', id);
    assert.equal(await ok(target, 'volume', 'rm', 'scenario-data'), 'scenario-data');
    assert.equal((await target.api('GET', '/volumes/scenario-data')).status, 404);
  },

  'an empty one gets what the image has there, unless told otherwise': async (target) => {
    const script = 'stat -c "%a %u" /v; ls /v | grep -c passwd';
    assert.equal(await run(target, '-v', 'scenario-etc:/etc', 'busybox', 'true'), '');
    assert.match(await run(target, '-v', 'scenario-etc:/v', 'busybox', 'sh', '-c', script), /^755 0\n1$/);
    await run(target, '-v', 'scenario-bare:/etc:nocopy', 'busybox', 'true');
    assert.equal(
      await run(target, '-v', 'scenario-bare:/v', 'busybox', 'sh', '-c', 'ls /v | grep -c passwd || true'),
      '0',
    );
    await ok(target, 'volume', 'rm', 'scenario-etc', 'scenario-bare');
  },

  'an anonymous one goes with its container when asked': async (target) => {
    const id = await ok(target, 'create', '-v', '/anon', 'busybox', 'true');
    const name = await ok(target, 'inspect', '--format', '{{(index .Mounts 0).Name}}', id);
    assert.equal((await target.api('GET', `/volumes/${name}`)).status, 200);
    await ok(target, 'rm', '-v', id);
    assert.equal((await target.api('GET', `/volumes/${name}`)).status, 404);
  },

  'one that would hide a file of the image is refused; VolumeDriver is not for Mounts': async (target) => {
    const refused = async (...volume: string[]) => {
      const { code, stderr } = await target.docker(['create', '-v', ...volume, 'busybox', 'true']);
      assert.notEqual(code, 0);
      return stderr;
    };
    assert.match(await refused('/etc/passwd'), /cannot mount volume over existing file, file exists .*\/etc\/passwd$/m);
    assert.match(await refused('scenario-over:/etc/passwd'), /source .*\/etc\/passwd is not directory$/m);
    await ok(target, 'volume', 'rm', 'scenario-over');
    const create = (hostConfig: object) =>
      target.api('POST', '/containers/create', {
        Image: 'busybox',
        HostConfig: { VolumeDriver: 'nowhere', ...hostConfig },
      });
    const mount = { Type: 'volume', Source: 'scenario-driver', Target: '/d' };
    const made = await create({ Mounts: [mount] });
    assert.equal(made.status, 201, made.text);
    await ok(target, 'rm', made.json<{ Id: string }>().Id);
    await ok(target, 'volume', 'rm', 'scenario-driver');
    const { status, text } = await create({ Binds: ['scenario-driver:/d'] });
    assert.equal(status, 404);
    assert.match(
      text,
      /create scenario-driver: error looking up volume plugin nowhere: plugin \\"nowhere\\" not found/,
    );
  },

  'options of the driver are refused in the same words': async (target) => {
    const create = async (options: object): Promise<[number, string]> => {
      const { status, text } = await target.api('POST', '/volumes/create', {
        Name: 'refused',
        DriverOpts: options,
      });
      return [status, (JSON.parse(text) as { message?: string }).message ?? text];
    };
    const bad: [object, string][] = [
      [{ type: 'tmpfs' }, 'missing required option: "device"'],
      [{ type: 'none', o: 'bind' }, 'missing required option: "device"'],
      [{ o: 'bind' }, 'missing required option: "device"'],
      [{ device: '/dev/null' }, 'missing required option: "type"'],
      [{ bogus: '1' }, 'invalid option: "bogus"'],
      [{ size: 'x' }, "invalid size: 'x'"],
      [{ size: '1m' }, 'quota size requested but no quota support'],
    ];
    for (const [options, why] of bad) {
      const [status, message] = await create(options);
      assert.equal(message, `create refused: ${why}`);
      // dockerd counts some of them as its own failures; here all are the caller's, or what the host lacks.
      assert.ok(status >= 400, String(status));
    }
  },

  'what the options name is mounted while a container runs, and no longer': async (target) => {
    const options = ['--opt', 'type=tmpfs', '--opt', 'device=tmpfs', '--opt', 'o=size=1m,uid=1000'];
    await ok(target, 'volume', 'create', ...options, 'scenario-tmpfs');
    const [shown] = JSON.parse(await ok(target, 'volume', 'inspect', 'scenario-tmpfs')) as {
      Options: object;
      Mountpoint: string;
    }[];
    assert.deepEqual(shown?.Options, { device: 'tmpfs', o: 'size=1m,uid=1000', type: 'tmpfs' });
    const see = ['busybox', 'sh', '-c', 'grep " /d " /proc/self/mountinfo | cut -d- -f2; stat -c %u /d'];
    assert.equal(await run(target, '-v', 'scenario-tmpfs:/d', ...see), 'tmpfs tmpfs rw,size=1024k,uid=1000\n1000');
    const mounted = () =>
      readFileSync('/proc/self/mountinfo', 'utf8')
        .split('\n')
        .filter((line) => line.includes(` ${shown?.Mountpoint} `)).length;
    assert.equal(mounted(), 0);
    const first = await ok(target, 'run', '-d', '-v', 'scenario-tmpfs:/d', 'busybox', 'sleep', '100');
    await ok(target, 'exec', first, 'sh', '-c', 'echo shared >/d/f');
    assert.equal(await run(target, '-v', 'scenario-tmpfs:/d', 'busybox', 'cat', '/d/f'), 'shared');
    assert.equal(mounted(), 1);
    await ok(target, 'rm', '-f', first);
    assert.equal(mounted(), 0);
    assert.equal(await run(target, '-v', 'scenario-tmpfs:/d', 'busybox', 'ls', '/d'), '');
    await ok(target, 'volume', 'rm', 'scenario-tmpfs');
  },

  'a bind by options; one that cannot be mounted; what is not ours stays when the volume goes': async (target) => {
    const dir = await mkdtemp(join(tmpdir(), 'gantry-volume-'));
    try {
      const bind = (device: string) => ['--opt', 'type=none', '--opt', 'o=bind', '--opt', `device=${device}`];
      await writeFile(join(dir, 'f'), 'mine');
      await ok(target, 'volume', 'create', ...bind(dir), 'scenario-bind');
      assert.equal(await run(target, '-v', 'scenario-bind:/d', 'busybox', 'cat', '/d/f'), 'mine');
      const id = await ok(target, 'create', '-v', 'scenario-bind:/d', 'busybox', 'true');
      assert.match((await target.docker(['cp', `${id}:/d/f`, '-'])).stdout, /mine/);
      await ok(target, 'rm', id);
      await ok(target, 'volume', 'rm', 'scenario-bind');
      assert.equal(await readFile(join(dir, 'f'), 'utf8'), 'mine');

      await ok(target, 'volume', 'create', ...bind(join(dir, 'nowhere')), 'scenario-nowhere');
      const refused = await target.docker(['run', '--rm', '-v', 'scenario-nowhere:/d', 'busybox', 'true']);
      assert.notEqual(refused.code, 0);
      assert.match(
        refused.stderr,
        /error while mounting volume '.*scenario-nowhere\/_data': failed to mount local volume: mount .*nowhere:.*: no such file or directory/,
      );
      await ok(target, 'volume', 'rm', 'scenario-nowhere');
    } finally {
      await rm(dir, { recursive: true });
    }
  },
});
