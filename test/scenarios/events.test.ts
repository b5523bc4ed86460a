import assert from 'node:assert/strict';
import { request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { onBoth } from '../support/both.ts';
import { create, eventually, run } from '../support/containers.ts';
import type { Target } from '../support/target.ts';

interface Event {
  Type: string;
  Action: string;
  Actor: { ID: string; Attributes: Record<string, string> };
  scope: string;
  time: number;
  timeNano: number;
  status?: string;
  id?: string;
  from?: string;
}

/** This moment, in milliseconds, which no event shares that has been told of before. */
async function now(): Promise<string> {
  await sleep(2);
  return (Date.now() / 1000).toFixed(3);
}

/** What happened since a moment, up to now. `until` in the past ends the answer at once. */
async function since(target: Target, start: string, filters: object = {}): Promise<Event[]> {
  const query = `since=${start}&until=${await now()}&filters=${encodeURIComponent(JSON.stringify(filters))}`;
  const reply = await target.api('GET', `/v1.41/events?${query}`);
  assert.equal(reply.status, 200, reply.text);
  return reply.text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Event);
}

/** The events that a piece of work causes, each as its type and action. */
async function caused(target: Target, filters: object, work: () => Promise<unknown>): Promise<Event[]> {
  const start = await now();
  await work();
  return since(target, start, filters);
}

const names = (events: readonly Event[]): string[] => events.map(({ Type, Action }) => `${Type} ${Action}`);
const attributes = (events: readonly Event[], action: string): Record<string, string> => {
  const { execDuration: _, ...rest } = events.find(({ Action }) => Action === action)?.Actor.Attributes ?? {};
  return rest;
};

async function ended(target: Target, id: string): Promise<void> {
  await eventually('its network is gone', async () => {
    const events = await since(target, '0', { type: ['network'], event: ['disconnect'] });
    return events.some(({ Actor }) => Actor.Attributes['container'] === id);
  });
}

onBoth('events', {
  'run --rm: from create to destroy': async (target) => {
    const events = await caused(target, {}, () =>
      target.docker(['run', '--rm', '--name', 'once', '--label', 'l=v', 'busybox', 'sh', '-c', 'exit 4']),
    );
    assert.deepEqual(names(events), [
      'container create',
      'container attach',
      'network connect',
      'container start',
      'container die',
      'network disconnect',
      'container destroy',
    ]);
    const [first] = events;
    const id = first?.Actor.ID ?? '';
    assert.match(id, /^[0-9a-f]{64}$/);
    const common = { image: 'busybox', name: 'once', l: 'v' };
    for (const action of ['create', 'attach', 'start', 'destroy']) {
      assert.deepEqual(attributes(events, action), common, action);
    }
    assert.deepEqual(attributes(events, 'die'), { ...common, exitCode: '4' });
    assert.deepEqual(attributes(events, 'connect'), { container: id, name: 'bridge', type: 'bridge' });
    assert.deepEqual(attributes(events, 'disconnect'), { container: id, name: 'bridge', type: 'bridge' });
    for (const event of events) {
      assert.equal(event.scope, 'local');
      assert.equal(event.time, Math.floor(event.timeNano / 1e9));
      if (event.Type !== 'container') continue;
      assert.deepEqual([event.status, event.id, event.from], [event.Action, id, 'busybox'], 'fields of old clients');
    }
    const times = events.map(({ timeNano }) => timeNano);
    assert.deepEqual(
      times,
      times.toSorted((a, b) => a - b),
    );
  },
  'rm -f kills, stop asks first, kill is a stop when nobody asked': async (target) => {
    const END = ['container die', 'network disconnect'];
    const forced = await run(target, 'exec sleep 1000');
    const removed = await caused(target, {}, async () => forced[Symbol.asyncDispose]());
    assert.deepEqual(names(removed), ['container kill', ...END, 'container destroy']);
    assert.equal(attributes(removed, 'kill')['signal'], '9');
    assert.equal(attributes(removed, 'die')['exitCode'], '137');

    await using stubborn = await run(target, 'trap "" TERM; echo ready; while :; do sleep 0.05; done');
    await eventually('it is ready', async () => (await target.docker(['logs', stubborn.id])).stdout === 'ready\n');
    const stopped = await caused(target, {}, () => target.api('POST', `${stubborn.path}/stop?t=1`));
    assert.deepEqual(names(stopped), ['container kill', 'container kill', ...END, 'container stop']);
    const signals = stopped.filter(({ Action }) => Action === 'kill').map(({ Actor }) => Actor.Attributes['signal']);
    assert.deepEqual(signals, ['15', '9']);

    await using killed = await run(target, 'exec sleep 1000');
    const kill = await caused(target, {}, async () => {
      await target.api('POST', `${killed.path}/kill`);
      await ended(target, killed.id);
    });
    assert.deepEqual(names(kill), ['container kill', ...END]);
  },
  'restart, pause, rename and prune tell what they do': async (target) => {
    await using c = await create(target, 'exec sleep 1000', { Labels: { only: 'this' } });
    await target.api('POST', `${c.path}/rename?name=before`);
    const filters = { type: ['container'] };
    const restarted = await caused(target, filters, () => target.api('POST', `${c.path}/restart`));
    assert.deepEqual(names(restarted), ['container start', 'container restart']);
    const again = await caused(target, filters, () => target.api('POST', `${c.path}/restart?t=0`));
    const actions = again.map(({ Action }) => Action).filter((action) => action !== 'kill');
    assert.deepEqual(actions, ['die', 'stop', 'start', 'restart']);
    const held = await caused(target, filters, async () => {
      await target.api('POST', `${c.path}/pause`);
      await target.api('POST', `${c.path}/unpause`);
    });
    assert.deepEqual(names(held), ['container pause', 'container unpause']);
    const renamed = await caused(target, filters, () => target.api('POST', `${c.path}/rename?name=after`));
    assert.deepEqual(names(renamed), ['container rename']);
    const wanted = { image: 'busybox', name: 'after', oldName: '/before', only: 'this' };
    assert.deepEqual(attributes(renamed, 'rename'), wanted);
    await target.api('POST', `${c.path}/kill`);
    await ended(target, c.id);
    const pruned = await caused(target, filters, () => target.api('POST', '/containers/prune'));
    assert.deepEqual(names(pruned), ['container destroy', 'container prune']);
    assert.deepEqual(Object.keys(attributes(pruned, 'prune')), ['reclaimed']);
  },
  'execs, resizes and tops are told': async (target) => {
    await using c = await run(target, 'exec sleep 1000', { Tty: true });
    const events = await caused(target, { container: [c.id] }, async () => {
      await target.docker(['exec', c.id, 'sh', '-c', 'exit 3']);
      await target.api('POST', `${c.path}/resize?h=30&w=90`);
      await target.api('GET', `${c.path}/top`);
      await eventually('the end of the exec is told', async () =>
        (await since(target, '0', { container: [c.id], event: ['exec_die'] })).at(0),
      );
    });
    const told = events.map(({ Action }) => Action);
    assert.deepEqual(told.slice(0, 2), ['exec_create: sh -c exit 3', 'exec_start: sh -c exit 3']);
    assert.deepEqual(
      told.slice(2).toSorted((a, b) => a.localeCompare(b)),
      ['exec_die', 'resize', 'top'],
    );
    const [created, started] = events;
    const execID = created?.Actor.Attributes['execID'];
    assert.match(execID ?? '', /^[0-9a-f]{64}$/);
    assert.equal(started?.Actor.Attributes['execID'], execID);
    const died = attributes(events, 'exec_die');
    assert.deepEqual([died['execID'], died['exitCode']], [execID, '3']);
    const { height, width } = attributes(events, 'resize');
    assert.deepEqual([height, width], ['30', '90']);
  },
  'a failed start tells of no start': async (target) => {
    await using c = await create(target, 'true', { Cmd: ['/nosuch'] });
    const events = await caused(target, { type: ['container'] }, () => target.api('POST', `${c.path}/start`));
    assert.ok(!names(events).includes('container start'), String(names(events)));
  },
  'images tell of tags and their end': async (target) => {
    const events = await caused(target, { type: ['image'] }, async () => {
      await target.docker(['tag', 'busybox', 'other:1']);
      await target.docker(['rmi', 'other:1']);
    });
    assert.deepEqual(names(events), ['image tag', 'image untag']);
    assert.equal(events[0]?.Actor.Attributes['name'], 'other:1');
    assert.match(events[0]?.Actor.ID ?? '', /^sha256:/);
    assert.equal(events[1]?.Actor.ID, events[0]?.Actor.ID);
  },
  'filters choose by kind, action, container, image and label': async (target) => {
    await using a = await create(target, 'true', { Labels: { group: 'a', mark: '' } });
    await target.api('POST', `${a.path}/rename?name=alpha`);
    await using b = await create(target, 'true', { Labels: { group: 'b', mark: '' } });
    const both = await since(target, '0', { label: ['mark'] });
    assert.deepEqual(names(both), ['container create', 'container rename', 'container create']);
    const cases: [filters: object, found: string[]][] = [
      [{ label: ['group=a'] }, ['container create', 'container rename']],
      [{ label: ['group=a', 'mark'] }, ['container create', 'container rename']],
      [{ label: ['mark'], event: ['create'] }, ['container create', 'container create']],
      [{ label: ['mark'], event: ['create', 'rename'] }, names(both)],
      [{ container: ['alpha'] }, ['container create', 'container rename'].slice(1)],
      [{ container: [b.id] }, ['container create']],
      [{ container: [b.id.slice(0, 12)] }, ['container create']],
      [{ label: ['mark'], type: ['image'] }, []],
      [{ label: ['mark'], image: ['busybox'] }, names(both)],
      [{ label: ['mark'], image: ['other'] }, []],
    ];
    for (const [filters, found] of cases) {
      assert.deepEqual(names(await since(target, '0', filters)), found, JSON.stringify(filters));
    }
  },
  'since and until cut out a time': async (target) => {
    await using a = await create(target, 'true', { Labels: { cut: '' } });
    const middle = await now();
    await using b = await create(target, 'true', { Labels: { cut: '' } });
    const filters = { label: ['cut'] };
    const late = await since(target, middle, filters);
    assert.deepEqual(
      late.map(({ Actor }) => Actor.ID),
      [b.id],
    );
    const query = `since=0&until=${middle}&filters=${encodeURIComponent(JSON.stringify(filters))}`;
    const early = await target.api('GET', `/v1.41/events?${query}`);
    assert.equal((JSON.parse(early.text) as Event).Actor.ID, a.id);
    const cli = await target.docker(['events', '--since', middle, '--until', await now(), '--filter', 'label=cut']);
    assert.match(
      cli.stdout,
      new RegExp(`^\\S+ container create ${b.id} \\(cut=, image=busybox, name=[a-z_0-9]+\\)\n$`),
    );
  },
  'those who listen hear at once, from the head on': async (target) => {
    const { promise: heard, resolve, reject } = Promise.withResolvers<Event>();
    const { promise: head, resolve: listening } = Promise.withResolvers<void>();
    const sent = request({ socketPath: target.socket, path: '/events' }, (response) => {
      listening();
      response.on('data', (chunk: Buffer) => resolve(JSON.parse(chunk.toString().split('\n')[0] ?? '') as Event));
      response.on('error', () => {});
    });
    sent.on('error', reject).end();
    await head;
    await using c = await create(target, 'true');
    const event = await heard;
    assert.deepEqual([event.Action, event.Actor.ID], ['create', c.id]);
    sent.off('error', reject).on('error', () => {});
    sent.destroy();
  },
});
