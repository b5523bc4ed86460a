import assert from 'node:assert/strict';
import { archiveOf } from '../../src/util/tar/tar-fixture.ts';
import { onBoth } from '../support/both.ts';
import { create, eventually, run } from '../support/containers.ts';
import { eventsOf } from '../support/event-lines.ts';
import { hijack } from '../support/hijack.ts';
import type { Target } from '../support/target.ts';

// What each call tells: all events of it in order, with every attribute. Ids are masked; how long something ran is left out, as the
// dockerd of the test does not tell it.

const ok = async (...replies: ReturnType<Target['api']>[]): Promise<void> => {
  for (const reply of replies) {
    const { status, text } = await reply;
    assert.ok(status < 300, `${status} ${text}`);
  }
};

/** The lines of a piece of work once there are as many as expected. */
async function caused(target: Target, work: () => Promise<unknown>, expected: readonly string[]): Promise<void> {
  const look = await eventsOf(target);
  await work();
  let lines: string[] = [];
  await eventually('as many events', async () => (lines = await look()).length >= expected.length, 5_000).catch(
    () => {},
  );
  assert.deepEqual(lines, expected);
}

const C = 'image=busybox l=v name=cc';

onBoth('what each call tells', {
  'to a running container': async (target) => {
    await using c = await run(target, 'exec sleep 1000', { Labels: { l: 'v' }, Tty: true, OpenStdin: true });
    await target.api('POST', `${c.path}/rename?name=cc`);
    const { path } = c;
    const input = archiveOf([{ name: 'f', data: 'x' }]);
    const exec = (command: string): string[] => [
      `container exec_create: ${command} execID=ID ${C}`,
      `container exec_start: ${command} execID=ID ${C}`,
    ];
    const table: [name: string, work: () => Promise<unknown>, told: string[]][] = [
      [
        'cp out, not its head',
        () => ok(...(['HEAD', 'GET'] as const).map((method) => target.api(method, `${path}/archive?path=/etc/passwd`))),
        [`container archive-path ${C}`],
      ],
      ['cp in', () => target.docker(['cp', '-', 'cc:/tmp'], { input }), [`container extract-to-dir ${C}`]],
      ['export', () => ok(target.api('GET', `${path}/export`)), [`container export ${C}`]],
      ['update', () => ok(target.api('POST', `${path}/update`, { CpuShares: 512 })), [`container update ${C}`]],
      [
        'top, not other questions',
        () =>
          ok(
            ...['changes', 'json', 'stats?stream=0&one-shot=1', 'logs?stdout=1', 'top'].map((noun) =>
              target.api('GET', `${path}/${noun}`),
            ),
          ),
        [`container top ${C}`],
      ],
      ['resize', () => ok(target.api('POST', `${path}/resize?h=3&w=4`)), [`container resize height=3 ${C} width=4`]],
      ['kill', () => ok(target.api('POST', `${path}/kill?signal=CONT`)), [`container kill ${C} signal=18`]],
      [
        'exec',
        () => target.docker(['exec', 'cc', 'true']),
        [...exec('true '), `container exec_die execID=ID exitCode=0 ${C}`],
      ],
      [
        'a detached exec',
        () => target.docker(['exec', '-d', 'cc', 'sh', '-c', 'exit 3']),
        [...exec('sh -c exit 3'), `container exec_die execID=ID exitCode=3 ${C}`],
      ],
      ['an exec that cannot be', () => target.docker(['exec', 'cc', 'nosuch']), exec('nosuch ')],
      [
        'an exec that is left running',
        () => detachExec(target, path),
        [
          ...exec('sh -c echo up; exec sleep 1000'),
          // The dockerd of the test takes it for one that failed, while it runs.
          target.name === 'dockerd'
            ? `container exec_die execID=ID exitCode=127 ${C}`
            : `container exec_detach execID=ID ${C}`,
        ],
      ],
      ['attach and detach', () => detach(target, path), [`container attach ${C}`, `container detach ${C}`]],
      [
        'commit',
        () => ok(target.api('POST', '/commit?container=cc&repo=made&tag=1&comment=why', {})),
        [
          `container pause ${C}`,
          'image tag l=v name=made:1',
          `container commit comment=why image=busybox imageID=sha256:ID imageRef=made:1 l=v name=cc`,
          `container unpause ${C}`,
        ],
      ],
    ];
    for (const [name, work, told] of table) {
      await caused(target, work, told).catch((cause: unknown) => {
        throw new Error(name, { cause });
      });
    }
    assert.equal((await target.docker(['rmi', 'made:1'])).code, 0);
  },
  'to images, volumes, networks and the rest': async (target) => {
    const input = archiveOf([{ name: 'f', data: 'x' }]);
    await caused(target, () => target.docker(['import', '-', 'imp:1'], { input }), [
      'image tag name=imp:1',
      'image import name=sha256:ID',
    ]);
    await caused(target, () => ok(target.api('GET', '/images/imp:1/get')), ['image save name=sha256:ID']);
    await caused(target, () => target.docker(['tag', 'imp:1', 'imp:2']), ['image tag name=imp:2']);
    await caused(target, () => target.docker(['rmi', 'imp:2']), ['image untag name=sha256:ID']);
    await caused(target, () => target.docker(['rmi', 'imp:1']), [
      'image untag name=sha256:ID',
      'image delete name=sha256:ID',
    ]);
    for (const [noun, type] of [
      ['networks', 'network'],
      ['build', 'builder'],
    ] as const)
      await caused(target, () => ok(target.api('POST', `/${noun}/prune`)), [`${type} prune reclaimed=0`]);
    await caused(target, () => ok(target.api('POST', '/volumes/create', { Name: 'vol' })), [
      'volume create driver=local',
    ]);
    await caused(target, () => ok(target.api('DELETE', '/volumes/vol')), ['volume destroy driver=local']);
    await caused(target, () => ok(target.api('POST', '/volumes/prune')), ['volume prune reclaimed=0']);
    await caused(target, () => ok(target.api('POST', '/images/prune')), ['image prune reclaimed=0']);
  },
  'to a container with a volume that comes and goes': async (target) => {
    const own = 'image=busybox name=xx';
    const args = ['run', '--rm', '--name', 'xx', '-v', '/anon', 'busybox', 'true'];
    await caused(target, () => target.docker(args), [
      'volume create driver=local',
      `container create ${own}`,
      `container attach ${own}`,
      'network connect container=ID name=bridge type=bridge',
      'volume mount container=ID destination=/anon driver=local propagation= read/write=true',
      `container start ${own}`,
      `container die exitCode=0 ${own}`,
      'network disconnect container=ID name=bridge type=bridge',
      'volume unmount container=ID driver=local',
      'volume destroy driver=local',
      `container destroy ${own}`,
    ]);
  },
  'to one that does not start, is held, and is restarted': async (target) => {
    await using c = await create(target, '', { Cmd: ['/nosuch'] });
    await target.api('POST', `${c.path}/rename?name=broken`);
    await caused(target, () => target.api('POST', `${c.path}/start`), [
      'network connect container=ID name=bridge type=bridge',
      'network disconnect container=ID name=bridge type=bridge',
    ]);
    await using held = await run(target, 'exec sleep 1000');
    await target.api('POST', `${held.path}/rename?name=held`);
    const own = 'image=busybox name=held';
    await caused(target, () => ok(target.api('POST', `${held.path}/restart?t=0`)), [
      `container kill ${own} signal=15`,
      `container kill ${own} signal=9`,
      `container die exitCode=137 ${own}`,
      'network disconnect container=ID name=bridge type=bridge',
      `container stop ${own}`,
      'network connect container=ID name=bridge type=bridge',
      `container start ${own}`,
      `container restart ${own}`,
    ]);
    const removed = async () => {
      await ok(target.api('POST', `${held.path}/pause`));
      await held[Symbol.asyncDispose]();
    };
    await caused(target, removed, [
      `container pause ${own}`,
      `container kill ${own} signal=9`,
      `container die exitCode=137 ${own}`,
      'network disconnect container=ID name=bridge type=bridge',
      `container destroy ${own}`,
    ]);
  },
  'the last 256 are told again': async (target) => {
    await using c = await create(target, 'true');
    for (let i = 0; i < 300; i++) await ok(target.api('POST', `${c.path}/rename?name=n${i}`));
    const reply = await target.api('GET', `/v1.41/events?since=0&until=${Date.now() / 1000 + 1}`);
    const names = reply.text.split('\n').flatMap((line) => /"name":"(n\d+)"/.exec(line)?.[1] ?? []);
    assert.deepEqual(
      names,
      Array.from({ length: 256 }, (_, i) => `n${i + 44}`),
    );
  },
});

/** Starts an exec and leaves it by its detach keys. */
async function detachExec(target: Target, path: string): Promise<void> {
  const Cmd = ['sh', '-c', 'echo up; exec sleep 1000'];
  const streams = { AttachStdin: true, AttachStdout: true, Tty: true };
  const made = await target.api('POST', `${path}/exec`, { Cmd, DetachKeys: 'ctrl-x', ...streams });
  const { Id } = made.json<{ Id: string }>();
  using stream = await hijack(target, `/exec/${Id}/start`, { body: { Tty: true } });
  await stream.until((received) => received.includes('up'));
  stream.socket.write('\x18');
  await stream.ended();
}

/** Attaches and leaves by the detach keys. */
async function detach(target: Target, path: string): Promise<void> {
  using stream = await hijack(target, `${path}/attach?stream=1&stdin=1&stdout=1&detachKeys=ctrl-x`);
  stream.socket.write('\x18');
  await stream.ended();
}
