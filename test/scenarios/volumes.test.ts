import assert from 'node:assert/strict';
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
});
