import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { onBoth } from '../support/both.ts';
import { create, run as running } from '../support/containers.ts';
import type { Target } from '../support/target.ts';

const MB = 1 << 20;
const FOREVER = 'trap exit TERM; while :; do sleep 1; done';

/** Files of a container's control group as the kernel has them: by the name of version 1, or of version 2. */
function limit(id: string, controller: string, file: string): string {
  const path = `/sys/fs/cgroup/${controller}/docker/${id}/${file}`;
  return existsSync(path) ? readFileSync(path, 'utf8').trim() : '';
}

interface Stats {
  read: string;
  preread: string;
  name: string;
  cpu_stats: { cpu_usage: { total_usage: number }; system_cpu_usage?: number; online_cpus?: number };
  precpu_stats: { cpu_usage: { total_usage: number }; system_cpu_usage?: number };
  memory_stats: { limit?: number; usage?: number };
  pids_stats: { current?: number };
  networks?: Record<string, unknown>;
}

const update = (target: Target, ref: string, changes: object) =>
  target.api('POST', `/containers/${ref}/update`, changes);

const REFUSED: [changes: object, status: number, message: RegExp][] = [
  [{ Memory: 1 }, 400, /^Minimum memory limit allowed is 6MB$/u],
  [
    { Memory: 256 * MB },
    409,
    /^Cannot update container [0-9a-f]{64}: Memory limit should be smaller than already set/u,
  ],
  [{ CpusetCpus: '999' }, 400, /^Requested CPUs are not available - requested 999, available: /u],
  [{ CpusetCpus: 'foo' }, 400, /^Invalid value foo for cpuset cpus: invalid format: foo$/u],
  [{ CpuPeriod: 5 }, 400, /^CPU cfs period can not be less than 1ms/u],
  [{ CpuQuota: 5 }, 400, /^CPU cfs quota can not be less than 1ms/u],
  [{ NanoCpus: 1e12 }, 400, /^Range of CPUs is from 0\.01 to/u],
  [{ RestartPolicy: { Name: 'foo' } }, 400, /^invalid restart policy 'foo'$/u],
  [{ RestartPolicy: { Name: 'always', MaximumRetryCount: 3 } }, 400, /^maximum retry count cannot be used/u],
  [{ MemorySwap: 1000 }, 500, /^Cannot update container [0-9a-f]{64}: [^]*invalid argument/u],
];

onBoth('limits', {
  'an update is refused with a reason and changes nothing': async (target) => {
    await using box = await running(target, FOREVER, { HostConfig: { Memory: 64 * MB } });
    for (const [changes, status, message] of REFUSED) {
      const reply = await update(target, box.id, changes);
      assert.equal(reply.status, status, `${JSON.stringify(changes)}: ${reply.text}`);
      assert.match(reply.json<{ message: string }>().message, message);
    }
    assert.equal((await update(target, 'nosuch', {})).status, 404);
    const { HostConfig } = await box.inspect();
    assert.deepEqual([HostConfig['Memory'], HostConfig['CpuQuota'], HostConfig['CpusetCpus']], [64 * MB, 0, '']);
    assert.equal(limit(box.id, 'memory', 'memory.limit_in_bytes'), String(64 * MB));
  },

  'a running and a frozen container get new limits at once, and keep them over a restart': async (target) => {
    const body = { HostConfig: { Memory: 64 * MB, PidsLimit: 50 } };
    await using box = await running(target, FOREVER, body);
    const changes = { Memory: 128 * MB, MemorySwap: 200 * MB, CpuShares: 512, NanoCpus: 5e8, CpusetCpus: '0' };
    assert.deepEqual((await update(target, box.id, changes)).json(), { Warnings: null });
    await target.api('POST', `${box.path}/pause`);
    assert.equal((await update(target, box.id, { PidsLimit: 20 })).status, 200);
    await target.api('POST', `${box.path}/unpause`);
    const seen = () => [
      limit(box.id, 'memory', 'memory.limit_in_bytes'),
      limit(box.id, 'memory', 'memory.memsw.limit_in_bytes'),
      limit(box.id, 'cpu', 'cpu.shares'),
      limit(box.id, 'cpu', 'cpu.cfs_quota_us'),
      limit(box.id, 'cpuset', 'cpuset.cpus'),
      limit(box.id, 'pids', 'pids.max'),
    ];
    const wanted = [String(128 * MB), String(200 * MB), '512', '50000', '0', '20'];
    assert.deepEqual(seen(), wanted);
    assert.equal((await target.api('POST', `${box.path}/restart?t=5`)).status, 204);
    assert.deepEqual(seen(), wanted);
    assert.equal((await box.inspect()).HostConfig['Memory'], 128 * MB);
  },

  'the restart policy of a container that goes at its end stays': async (target) => {
    await using box = await running(target, FOREVER, { HostConfig: { AutoRemove: true } });
    const reply = await update(target, box.id, { RestartPolicy: { Name: 'always' } });
    assert.equal(reply.status, 409);
    assert.match(reply.text, /Restart policy cannot be updated because AutoRemove is enabled for the container/u);
  },

  'an update is an event, and the command line knows it': async (target) => {
    await using box = await running(target, FOREVER);
    const since = String(Date.now() / 1000);
    const { code, stdout, stderr } = await target.docker(['update', '-m', '64m', '--memory-swap', '-1', box.id]);
    assert.deepEqual([code, stdout, stderr], [0, `${box.id}\n`, '']);
    const events = await target.docker([
      'events',
      `--since=${since}`,
      `--until=${Date.now() / 1000 + 0.1}`,
      '--filter=event=update',
      '--format={{.Actor.ID}} {{.Action}}',
    ]);
    assert.equal(events.stdout, `${box.id} update\n`);
  },

  'a process killed for want of memory is told, also one of an exec': async (target) => {
    const hostConfig = { Memory: 16 * MB, MemorySwap: 16 * MB };
    await using box = await running(target, FOREVER, { HostConfig: hostConfig });
    const since = String(Date.now() / 1000);
    await target.docker(['exec', box.id, 'sh', '-c', 'a=x; while :; do a=$a$a; done']);
    const until = Date.now() + 30_000;
    const oom = async () => {
      const args = ['--since', since, '--until', String(Date.now() / 1000), '--filter', 'event=oom'];
      return (await target.docker(['events', ...args, '--format', '{{.Actor.ID}} {{.Actor.Attributes.image}}'])).stdout;
    };
    let told = '';
    while (told === '' && Date.now() < until) {
      await sleep(100);
      told = await oom();
    }
    assert.match(told, new RegExp(`^${box.id} busybox\n`, 'u'));
    assert.equal((await box.inspect()).State.Running, true);
  },
});

onBoth('stats', {
  'two looks without a stream, one with one-shot, zeros of who does not run': async (target) => {
    await using box = await running(target, FOREVER, { HostConfig: { Memory: 64 * MB } });
    const get = async (ref: string, query: string) =>
      (await target.api('GET', `/containers/${ref}/stats?stream=0${query}`)).json<Stats>();
    const two = await get(box.id, '');
    assert.ok(Date.parse(two.read) > Date.parse(two.preread), `${two.preread} to ${two.read}`);
    assert.ok((two.cpu_stats.system_cpu_usage ?? 0) > (two.precpu_stats.system_cpu_usage ?? 0));
    assert.equal(two.memory_stats.limit, 64 * MB);
    assert.deepEqual(Object.keys(two.networks ?? {}), ['eth0']);
    assert.ok((two.pids_stats.current ?? 0) >= 1);
    const single = await get(box.id, '&one-shot=1');
    assert.match(single.preread, /^0001-01-01T00:00:00Z$/u);
    assert.deepEqual([single.precpu_stats.system_cpu_usage, single.precpu_stats.cpu_usage.total_usage], [undefined, 0]);
    await using idle = await create(target, FOREVER);
    const none = await get(idle.id, '');
    assert.match(none.read, /^0001-01-01T00:00:00Z$/u);
    assert.deepEqual([none.memory_stats, none.pids_stats, none.networks], [{}, {}, undefined]);
    const missing = await target.api('GET', '/containers/nosuch/stats');
    assert.deepEqual([missing.status, missing.json()], [404, { message: 'No such container: nosuch' }]);
  },

  'a busy loop is about one processor': async (target) => {
    await using box = await running(target, 'while :; do :; done', { HostConfig: { NanoCpus: 5e8 } });
    const { code, stdout } = await target.docker(['stats', '--no-stream', '--format', '{{.CPUPerc}}', box.id]);
    assert.equal(code, 0);
    // Half a processor is all it gets; a loaded machine may give it less.
    const percent = Number.parseFloat(stdout);
    assert.ok(percent > 5 && percent < 65, stdout);
  },

  'a stream ends when its container is removed': async (target) => {
    const box = await running(target, FOREVER);
    const stream = target.api('GET', `${box.path}/stats`);
    await sleep(1500);
    await target.api('DELETE', `${box.path}?force=1`);
    const lines = (await stream).text.trim().split('\n');
    assert.equal((JSON.parse(lines[0] ?? '') as Stats).memory_stats.usage !== undefined, true);
  },
});
