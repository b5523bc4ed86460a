import assert from 'node:assert/strict';
import { existsSync, readdirSync, rmdirSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { importBusybox } from '../support/both.ts';
import { create, eventually, run } from '../support/containers.ts';
import { startDockerd } from '../support/dockerd.ts';
import { startGantry } from '../support/gantry.ts';
import { limitsOf } from '../support/limits-of.ts';
import type { Target } from '../support/target.ts';

const MB = 1 << 20;
const SHOW = 'cat /proc/self/limits /proc/self/oom_score_adj; df -k /dev/shm | tail -n 1; echo done';
const FOREVER = 'trap exit TERM; while :; do sleep 1; done';
const DISK = join('/dev', readdirSync('/sys/block').find((name) => !/^(loop|ram|zram)/.test(name)) ?? 'loop1');
const PARENT = '/gantry-resources';

/** The fields of `HostConfig` that are limits. */
const FIELDS = [
  'BlkioDeviceReadBps',
  'BlkioDeviceReadIOps',
  'BlkioDeviceWriteBps',
  'BlkioDeviceWriteIOps',
  'BlkioWeight',
  'BlkioWeightDevice',
  'CgroupParent',
  'ConsoleSize',
  'CpuPercent',
  'CpuPeriod',
  'CpuQuota',
  'CpuRealtimePeriod',
  'CpuRealtimeRuntime',
  'CpuShares',
  'CpusetCpus',
  'CpusetMems',
  'DeviceCgroupRules',
  'Devices',
  'IOMaximumBandwidth',
  'IOMaximumIOps',
  'Isolation',
  'Memory',
  'MemoryReservation',
  'MemorySwap',
  'MemorySwappiness',
  'NanoCpus',
  'OomKillDisable',
  'OomScoreAdj',
  'PidsLimit',
  'ShmSize',
  'Ulimits',
];

/** Many options in few containers: no two of a row have to do with each other. */
const ROWS: Record<string, object> = {
  'of nothing': {},
  'of the largest kind': {
    Memory: 64 * MB,
    MemorySwap: 96 * MB,
    MemoryReservation: 32 * MB,
    MemorySwappiness: 0,
    OomKillDisable: true,
    CpuShares: 2,
    CpuPeriod: 50_000,
    CpuQuota: 20_000,
    CpusetCpus: '0-1',
    CpusetMems: '0',
    PidsLimit: 33,
    OomScoreAdj: 500,
    ShmSize: 8 * MB,
    BlkioDeviceReadBps: [{ Path: DISK, Rate: MB }],
    BlkioDeviceWriteBps: [{ Path: DISK, Rate: 2 * MB }],
    BlkioDeviceReadIOps: [{ Path: DISK, Rate: 100 }],
    BlkioDeviceWriteIOps: [
      { Path: DISK, Rate: 200 },
      { Path: '/dev/loop0', Rate: 4_294_967_296 },
    ],
    Ulimits: [
      { Name: 'nofile', Soft: 100, Hard: 200 },
      { Name: 'core', Soft: 0, Hard: -1 },
      { Name: 'memlock', Soft: 65_536, Hard: 65_536 },
      { Name: 'stack', Soft: 4 * MB, Hard: -1 },
      { Name: 'CPU', Soft: 100, Hard: 100 },
    ],
    DeviceCgroupRules: ['c 42:* rwm', 'b 7:1 r'],
    Devices: [{ PathOnHost: '/dev/zero', PathInContainer: '/dev/nought', CgroupPermissions: 'r' }],
  },
  'with swap as it comes': { Memory: 64 * MB, CpuShares: 262_144, CpuQuota: -1, PidsLimit: 0, CpusetCpus: '1,0' },
  'with swap without end': { Memory: 6 * MB + 1, MemorySwap: -1, NanoCpus: 1.5e9, PidsLimit: -1, OomScoreAdj: 1000 },
  'with numbers that mean the default': {
    MemorySwap: -1,
    MemorySwappiness: -1,
    OomKillDisable: false,
    CpuQuota: -2,
    ShmSize: 4097,
    DeviceCgroupRules: ['a *:* rwm'],
    BlkioDeviceReadBps: [],
    Ulimits: [],
  },
  'with less of a processor than the kernel counts': { NanoCpus: 1, CpuRealtimePeriod: 500_000, MemorySwappiness: 100 },
  'with what this kernel lacks': { BlkioWeight: 300, BlkioWeightDevice: [{ Path: DISK, Weight: 500 }], CpuPercent: 5 },
  'below a group of its own': { CgroupParent: PARENT, Isolation: 'Default', OomKillDisable: true },
};

/** It is above the limit of memory without swap; nobody asks the kernel while a container does not run. */
const REFUSED_BY_KERNEL = { MemorySwap: 64 * MB };

/** How a process takes more memory than it may have. */
const EAT = 'a=x; while :; do a=$a$a; done';

/** Scripts and the exit codes of their containers; all are told to have been killed for want of memory but the last, whose second run was well. */
const DEATHS: Record<string, readonly [script: string, exitCode: number, more?: object]> = {
  'the first process': [EAT, 137],
  'a child, and the first ends well': [`(${EAT}); exit 0`, 0],
  'a child, and the first ends as it did': [`sh -c '${EAT}'; exit $?`, 137],
  'two children': [`sh -c '${EAT}'; sh -c '${EAT}'; exit 5`, 5],
  'the child of an init': [EAT, 137, { Init: true }],
  'nobody in the second run': [
    `[ -e /ran ] && exit 0; touch /ran; ${EAT}`,
    0,
    { RestartPolicy: { Name: 'on-failure' } },
  ],
};

/** Policies of a container that fails at once, and what an update makes of the restart it waits for: one that was promised comes. */
const WAITING: readonly (readonly [before: object, after: object, ends: boolean])[] = [
  [{ Name: 'always' }, { Name: 'no' }, true],
  [{ Name: 'on-failure', MaximumRetryCount: 50 }, { Name: 'on-failure', MaximumRetryCount: 3 }, true],
  [{ Name: 'on-failure', MaximumRetryCount: 9 }, { Name: 'always' }, false],
];

/** As the command line shows it, without what the runtime's place and its messenger add. */
const message = (text: string): string =>
  (JSON.parse(text) as { message: string }).message
    .replaceAll(/[0-9a-f]{64}/g, '<id>')
    .replace(/\n?: unknown$/, '')
    .trimEnd();

/** One after the other; what is refused must leave no trace. */
const UPDATES: readonly object[] = [
  { Memory: 32 * MB },
  { Memory: 128 * MB },
  { Memory: 128 * MB, MemorySwap: 256 * MB, CpuShares: 2048, CpusetCpus: '1', PidsLimit: 50 },
  { MemoryReservation: 16 * MB, CpusetCpus: '0,1', CpusetMems: '0', PidsLimit: 0 },
  { MemoryReservation: 1 },
  { PidsLimit: 40 },
  { PidsLimit: -1, CpuPeriod: 50_000 },
  { CpuQuota: 20_000 },
  { NanoCpus: 1e9 },
  { CpuQuota: -1 },
  { CpusetCpus: '9' },
  { CpusetCpus: '0-9999' },
  { BlkioWeight: 300, CpuPercent: 1 },
  { KernelMemory: 1 },
  { IOMaximumBandwidth: 1 },
  { RestartPolicy: { Name: 'always', MaximumRetryCount: 1 } },
  { RestartPolicy: { Name: 'on-failure', MaximumRetryCount: -3 } },
  { RestartPolicy: { MaximumRetryCount: 3 } },
  { Memory: 200 * MB, MemorySwap: -1, CpusetCpus: '9' },
  {},
];

describe('resources', () => {
  const stack = new AsyncDisposableStack();
  let engines: Target[];

  before(async () => {
    const start = async (engine: Promise<Target & AsyncDisposable>): Promise<Target> => {
      const target = stack.use(await engine);
      await importBusybox(target);
      return target;
    };
    stack.defer(removeParent);
    engines = await Promise.all([start(startGantry()), start(startDockerd())]);
  });
  after(() => stack.disposeAsync());

  /** Does the same on both, and asserts that it comes to the same. */
  const same = async (look: (target: Target) => Promise<unknown>): Promise<void> => {
    const [gantry, dockerd] = await Promise.all(engines.map(look));
    assert.deepEqual(gantry, dockerd);
  };

  for (const [name, HostConfig] of Object.entries(ROWS)) {
    test(`a container ${name} is limited as by dockerd`, () =>
      same(async (target) => {
        const request = { Image: 'busybox', Cmd: ['sh', '-c', `${SHOW}; ${FOREVER}`], HostConfig };
        const { Id, Warnings } = (await target.api('POST', '/v1.41/containers/create', request)).json<{
          Id: string;
          Warnings: string[];
        }>();
        await using _ = { [Symbol.asyncDispose]: async () => void (await target.docker(['rm', '-f', Id])) };
        const started = await target.api('POST', `/containers/${Id}/start`);
        assert.equal(started.status, 204, started.text);
        const shown = () => target.docker(['logs', Id]).then(({ stdout }) => stdout.includes('done') && stdout);
        const { HostConfig: kept } = (await target.api('GET', `/v1.41/containers/${Id}/json`)).json<{
          HostConfig: Record<string, unknown>;
        }>();
        const parent = 'CgroupParent' in HostConfig ? String(HostConfig.CgroupParent) : undefined;
        const inside = await eventually('the container has shown itself', shown);
        return { Warnings, kept: FIELDS.map((field) => [field, kept[field]]), inside, kernel: limitsOf(Id, parent) };
      }));
  }

  for (const state of ['running', 'paused', 'created'] as const) {
    test(`what an update of a ${state} container answers and does is what dockerd's does`, () =>
      same(async (target) => {
        const seen: unknown[] = [];
        const start = {
          RestartPolicy: { Name: 'no' },
          Memory: 64 * MB,
          MemorySwappiness: 10,
          DeviceCgroupRules: ['c 42:* rwm'],
        };
        await using box = await create(target, FOREVER, { HostConfig: start });
        if (state !== 'created') await box.start();
        if (state === 'paused') await target.api('POST', `${box.path}/pause`);
        for (const changes of state === 'created' ? UPDATES : [...UPDATES, REFUSED_BY_KERNEL]) {
          const { status, text } = await target.api('POST', `/v1.41${box.path}/update`, changes);
          const { HostConfig } = await box.inspect();
          const kept = [...FIELDS, 'RestartPolicy'].map((field) => [field, HostConfig[field]]);
          seen.push([changes, status, status === 200 ? text : message(text), kept, limitsOf(box.id)]);
        }
        if (state === 'paused') await target.api('POST', `${box.path}/unpause`);
        assert.equal((await target.api('POST', `${box.path}/restart?t=5`)).status, 204);
        return [...seen, limitsOf(box.id)];
      }));
  }

  test('an update that the kernel takes only in part leaves no trace', async () => {
    const [gantry] = engines;
    assert.ok(gantry);
    await using box = await run(gantry, FOREVER, { HostConfig: { Memory: 64 * MB, PidsLimit: 50 } });
    const untouched = [limitsOf(box.id), (await box.inspect()).HostConfig];
    const changes = { Memory: 128 * MB, MemorySwap: -1, PidsLimit: 9, CpuQuota: 20_000, CpusetCpus: '0', CpuShares: 1 };
    const { status, text } = await gantry.api('POST', `${box.path}/update`, changes);
    assert.equal(status, 500);
    assert.match(
      message(text),
      /^Cannot update container <id>: runc did not .*: the minimum allowed cpu-shares is 2$/u,
    );
    assert.deepEqual([limitsOf(box.id), (await box.inspect()).HostConfig], untouched);
  });

  test('an update of a container that waits for its restart', () =>
    same(async (target) =>
      Promise.all(
        WAITING.map(async ([RestartPolicy, changed, ends]) => {
          await using box = await run(target, 'exit 3', { HostConfig: { RestartPolicy } });
          const look = async () =>
            (await box.inspect()) as unknown as { RestartCount: number; State: { Status: string } };
          await eventually('it waits for more than a second', async () => {
            const { RestartCount, State } = await look();
            return RestartCount >= 4 && State.Status === 'restarting';
          });
          const reply = await target.api('POST', `${box.path}/update`, { RestartPolicy: changed, PidsLimit: 5 });
          const since = String(Date.now() / 1000);
          const { RestartCount: seen } = await look();
          await eventually('it is given up, or goes on', async () => {
            const { RestartCount, State } = await look();
            return ends ? State.Status === 'exited' : RestartCount > seen + 1;
          });
          const args = ['--since', since, '--until', String(Date.now() / 1000), '--filter', `container=${box.id}`];
          const { stdout } = await target.docker([
            'events',
            ...args,
            '--filter',
            'event=start',
            '--format',
            '{{.Action}}',
          ]);
          return [reply.text, ends ? [stdout, (await look()).RestartCount - seen] : stdout.length > 0];
        }),
      ),
    ));

  for (const [who, [script, exitCode, more]] of Object.entries(DEATHS)) {
    test(`killed for want of memory: ${who}`, async () => {
      await Promise.all(
        engines.map(async (target) => {
          const since = String(Date.now() / 1000);
          const limits = { Memory: 16 * MB, MemorySwap: 16 * MB, ...more };
          await using box = await run(target, script, { HostConfig: limits });
          await eventually('it has ended', async () => (await box.inspect()).State.Status === 'exited');
          const args = [
            '--since',
            since,
            '--until',
            String(Date.now() / 1000 + 0.2),
            '--filter',
            `container=${box.id}`,
          ];
          const { stdout } = await target.docker([
            'events',
            ...args,
            '--filter',
            'event=oom',
            '--format',
            '{{.Action}}',
          ]);
          const { OOMKilled, ExitCode } = (await box.inspect()).State as { OOMKilled?: boolean; ExitCode: number };
          assert.equal(ExitCode, exitCode);
          // dockerd does not look again when a container ends, and may miss what it was not told in time.
          if (target.name === 'dockerd' && stdout === '') return assert.equal(OOMKilled, false);
          assert.match(stdout, /^(oom\n)+$/u);
          assert.equal(OOMKilled, more === undefined || !('RestartPolicy' in more));
        }),
      );
    });
  }

  test('a terminal has its size from the first moment on', async () => {
    const [gantry] = engines;
    assert.ok(gantry);
    await using box = await run(gantry, 'stty size', { Tty: true, HostConfig: { ConsoleSize: [40, 120] } });
    assert.equal(await box.wait(), 0);
    assert.equal((await gantry.docker(['logs', box.id])).stdout, '40 120\r\n');
  });
});

/** A runtime removes the group of a container, and nobody the one above that was made on the way. */
function removeParent(): void {
  for (const controller of readdirSync('/sys/fs/cgroup')) {
    const group = join('/sys/fs/cgroup', controller, PARENT);
    if (existsSync(group)) rmdirSync(group);
  }
}
