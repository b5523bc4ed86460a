import assert from 'node:assert/strict';
import { onBoth } from '../support/both.ts';
import { create, type Inspected, type Made, run } from '../support/containers.ts';
import type { Target } from '../support/target.ts';

const SLEEP = 'trap exit TERM; sleep 1000 & wait';

async function namespaceOf(target: Target, { id }: Made, type: string): Promise<string> {
  const { code, stdout, stderr } = await target.docker(['exec', id, 'readlink', `/proc/self/ns/${type}`]);
  assert.equal(code, 0, stderr);
  return stdout;
}

async function said(target: Target, { id }: Made, script: string): Promise<string> {
  const { code, stdout, stderr } = await target.docker(['exec', id, 'sh', '-c', script]);
  assert.equal(code, 0, stderr);
  return stdout.trim();
}

/** Starts what cannot be started and gives the reason. */
async function refusal(target: Target, made: Made): Promise<string> {
  const reply = await target.api('POST', `${made.path}/start`);
  assert.ok(reply.status >= 400, String(reply.status));
  return reply.json<{ message: string }>().message.replaceAll(/[0-9a-f]{64}/gu, '<id>');
}

const host = (HostConfig: object): object => ({ HostConfig });
const modes = ({ HostConfig }: Inspected): unknown[] =>
  ['IpcMode', 'PidMode', 'NetworkMode'].map((it) => HostConfig[it]);

onBoth('namespaces of another container', {
  'its ipc is joined with its /dev/shm, which outlives it there': async (target) => {
    await using donor = await run(target, SLEEP, host({ IpcMode: 'shareable', ShmSize: 2 << 20 }));
    await using joined = await run(target, SLEEP, host({ IpcMode: `container:${donor.id.slice(0, 12)}` }));
    await using chained = await run(target, SLEEP, host({ IpcMode: `container:${joined.id}` }));
    assert.equal(modes(await joined.inspect())[0], `container:${donor.id}`);
    const ipc = await namespaceOf(target, donor, 'ipc');
    assert.equal(await namespaceOf(target, joined, 'ipc'), ipc);
    assert.equal(await namespaceOf(target, chained, 'ipc'), ipc);
    await said(target, joined, 'echo shared >/dev/shm/note');
    assert.equal(await said(target, donor, 'cat /dev/shm/note'), 'shared');
    assert.equal(await said(target, chained, 'cat /dev/shm/note'), 'shared');
    assert.match(
      await said(target, chained, 'grep " /dev/shm " /proc/mounts'),
      /tmpfs .*nosuid,nodev,noexec.*size=2048k/u,
    );
    await target.api('POST', `${donor.path}/stop?t=5`);
    assert.equal(await said(target, joined, 'cat /dev/shm/note'), 'shared');
    await target.api('POST', `${joined.path}/stop?t=5`);
    assert.equal(await refusal(target, joined), "can't join IPC of container <id>: container <id> is not running");
    await donor.start();
    await joined.start();
    assert.equal(await said(target, joined, 'ls /dev/shm'), '');
  },

  'one that shares with the host shares the host’s': async (target) => {
    await using donor = await run(target, SLEEP, host({ IpcMode: 'host', PidMode: 'host' }));
    const both = { IpcMode: `container:${donor.id}`, PidMode: `container:${donor.id}` };
    await using joined = await run(target, SLEEP, host(both));
    for (const type of ['ipc', 'pid']) {
      assert.equal(await namespaceOf(target, joined, type), await namespaceOf(target, donor, type), type);
    }
  },

  'its processes are seen, and end with it': async (target) => {
    await using donor = await run(target, 'echo $$; exec sleep 1234');
    await using joined = await run(target, SLEEP, host({ PidMode: `container:${donor.id}` }));
    assert.equal(await namespaceOf(target, joined, 'pid'), await namespaceOf(target, donor, 'pid'));
    assert.match(await said(target, joined, 'ps'), /^ +1 .*sleep 1234$/mu);
    await target.api('POST', `${donor.path}/kill`);
    assert.equal(await joined.wait(), 137);
    assert.equal(await refusal(target, joined), 'container <id> is not running');
  },

  'its network comes with its name and files': async (target) => {
    await using donor = await run(target, SLEEP, { Hostname: 'boss', Domainname: 'example.org' });
    await using joined = await run(target, SLEEP, host({ NetworkMode: `container:${donor.id}` }));
    assert.equal(await namespaceOf(target, joined, 'net'), await namespaceOf(target, donor, 'net'));
    for (const script of ['hostname', 'cat /etc/hosts', 'cat /etc/resolv.conf', 'ip -o addr']) {
      assert.equal(await said(target, joined, script), await said(target, donor, script), script);
    }
    await said(target, joined, 'echo "192.0.2.9 friend" >>/etc/hosts');
    assert.match(await said(target, donor, 'cat /etc/hosts'), /friend/u);
    const { Config } = await joined.inspect();
    assert.deepEqual([Config['Hostname'], Config['Domainname']], ['boss', 'example.org']);
    await target.api('POST', `${donor.path}/stop?t=5`);
    await target.api('POST', `${joined.path}/stop?t=5`);
    assert.equal(await refusal(target, joined), 'cannot join network of a non running container: <id>');
    await target.api('DELETE', donor.path);
    assert.equal(await refusal(target, joined), 'No such container: <id>');
  },

  'names are kept as ids, so that a new owner of the name is not joined': async (target) => {
    const name = 'joined-by-name';
    await using donor = await create(target, SLEEP);
    await target.api('POST', `${donor.path}/rename?name=${name}`);
    const mode = `container:${name}`;
    await using joined = await create(target, SLEEP, host({ IpcMode: mode, PidMode: mode, NetworkMode: mode }));
    const id = `container:${donor.id}`;
    assert.deepEqual(modes(await joined.inspect()), [id, id, id]);
  },

  'a donor must exist, run, and share': async (target) => {
    const unknown = await target.api('POST', '/containers/create', {
      Image: 'busybox',
      ...host({ IpcMode: 'container:nope' }),
    });
    assert.deepEqual([unknown.status, unknown.text.trim()], [400, '{"message":"No such container: nope"}']);
    const noPid = await target.api('POST', '/containers/create', {
      Image: 'busybox',
      ...host({ PidMode: 'container:nope' }),
    });
    assert.deepEqual([noPid.status, noPid.text.trim()], [400, '{"message":"No such container: nope"}']);
    await using noNetwork = await create(target, SLEEP, host({ NetworkMode: 'container:nope' }));
    assert.equal(await refusal(target, noNetwork), 'No such container: nope');
    const words =
      "can't join IPC of container <id>: non-shareable IPC (hint: use IpcMode:shareable for the donor container)";
    for (const IpcMode of ['private', 'none']) {
      await using donor = await run(target, SLEEP, host({ IpcMode }));
      await using joined = await create(target, SLEEP, host({ IpcMode: `container:${donor.id}` }));
      assert.equal(await refusal(target, joined), words, IpcMode);
    }
  },
});
