import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { onBoth } from '../support/both.ts';
import { create, eventually, type Made, run } from '../support/containers.ts';
import { hijack } from '../support/hijack.ts';
import type { ApiReply, Target } from '../support/target.ts';

const TTY = { Tty: true, OpenStdin: true };
const IDLE = 'while :; do sleep 1000; done';
/** Says what size its terminal has, for each line that it reads. */
const SAYS_SIZE = 'stty -echo; while read line; do stty size; echo "after $line"; done';

const syntax = (text: string): string => `strconv.Atoi: parsing "${text}": invalid syntax`;
const range = (text: string): string => `strconv.Atoi: parsing "${text}": value out of range`;

/** Queries that are refused. */
const REFUSED: readonly (readonly [query: string, message: string])[] = [
  ['', syntax('')],
  ['w=10', syntax('')],
  ['h=10', syntax('')],
  ['h=&w=', syntax('')],
  ['h=x&w=1', syntax('x')],
  ['h=1&w=x', syntax('x')],
  ['h=1.5&w=1', syntax('1.5')],
  ['h=%205&w=6', syntax(' 5')],
  ['h=0x10&w=1', syntax('0x10')],
  ['h=1e3&w=1', syntax('1e3')],
  ['h=1_0&w=1', syntax('1_0')],
  ['h=9223372036854775808&w=1', range('9223372036854775808')],
  ['h=-9223372036854775809&w=1', range('-9223372036854775809')],
  ['h=1&w=99999999999999999999', range('99999999999999999999')],
];

/** Queries that are taken, and the size that a terminal then has: the kernel knows 16 bits of each. */
const TAKEN: readonly (readonly [query: string, size: string])[] = [
  ['h=33&w=77', '33 77'],
  ['h=%2B5&w=6', '5 6'],
  ['h=007&w=9', '7 9'],
  ['h=3&w=4&h=5', '3 4'],
  ['h=70000&w=80', '4464 80'],
  ['h=4294967299&w=65540', '3 4'],
];

/** Queries that are taken, of which a terminal's program makes what it likes. */
const ODD = ['h=0&w=0', 'h=-1&w=-1', 'h=65535&w=65535', 'h=9223372036854775807&w=1', 'h=-9223372036854775808&w=1'];

const outcome = ({ status, text }: ApiReply): [number, string] => [
  status,
  text === '' ? '' : (JSON.parse(text) as { message: string }).message.trim(),
];

async function createExec(target: Target, { path }: Made, body: object): Promise<string> {
  const reply = await target.api('POST', `${path}/exec`, { AttachStdin: true, AttachStdout: true, ...body });
  assert.equal(reply.status, 201, reply.text);
  return reply.json<{ Id: string }>().Id;
}

async function startDetached(target: Target, c: Made, body: object): Promise<string> {
  const id = await createExec(target, c, body);
  const started = await target.api('POST', `/exec/${id}/start`, { Detach: true });
  assert.equal(started.status, 200, started.text);
  return id;
}

/** Sets sizes and asks the program behind a stream for them. */
async function checkSizes(target: Target, path: string, stream: Awaited<ReturnType<typeof hijack>>): Promise<void> {
  for (const [i, [query, size]] of TAKEN.entries()) {
    assert.deepEqual(outcome(await target.api('POST', `${path}/resize?${query}`)), [200, '']);
    stream.socket.write(`${i}\n`);
    await stream.until((bytes) => bytes.includes(`after ${i}`));
    assert.ok(stream.received().includes(`${size}\r\nafter ${i}`), `${query}: ${stream.received().toString()}`);
  }
  for (const query of ODD) assert.deepEqual(outcome(await target.api('POST', `${path}/resize?${query}`)), [200, '']);
}

onBoth('resize', {
  'the terminal of a container gets the size that is told, and each is an event': async (target) => {
    await using c = await run(target, SAYS_SIZE, TTY);
    using stream = await hijack(target, `${c.path}/attach?stream=1&stdin=1&stdout=1`);
    await checkSizes(target, c.path, stream);
    const filters = [`--filter=container=${c.id}`, '--filter=event=resize'];
    const format = '--format={{.Actor.Attributes.height}} {{.Actor.Attributes.width}}';
    const told = await eventually('all are told', async () => {
      const until = `--until=${Date.now() / 1000}`;
      const { stdout } = await target.docker(['events', '--since=1h', until, ...filters, format]);
      const lines = stdout.trim().split('\n');
      return lines.length === TAKEN.length + ODD.length && lines;
    });
    assert.deepEqual(told.slice(0, TAKEN.length), ['33 77', '5 6', '7 9', '3 4', '70000 80', '4294967299 65540']);
    assert.deepEqual(told.slice(TAKEN.length, -2), ['0 0', '-1 -1', '65535 65535']);
  },

  'the terminal of an exec, too': async (target) => {
    await using c = await run(target, IDLE);
    const id = await createExec(target, c, { Tty: true, Cmd: ['sh', '-c', SAYS_SIZE] });
    using stream = await hijack(target, `/exec/${id}/start`, { body: { Tty: true } });
    stream.socket.write('begun\n');
    await stream.until((bytes) => bytes.includes('after begun'));
    await checkSizes(target, `/exec/${id}`, stream);
  },

  'numbers that are none are refused before anything else is looked at': async (target) => {
    await using c = await run(target, IDLE, TTY);
    await using plain = await run(target, IDLE);
    await using ended = await run(target, 'true');
    await ended.wait();
    const exec = await startDetached(target, c, { Tty: true, Cmd: ['sleep', '1000'] });
    const idle = await createExec(target, c, { Tty: true, Cmd: ['true'] });
    const paths = [
      c.path,
      plain.path,
      ended.path,
      '/containers/nosuch',
      `/exec/${exec}`,
      `/exec/${idle}`,
      '/exec/nosuch',
    ];
    for (const [query, message] of REFUSED) {
      for (const path of paths) {
        assert.deepEqual(outcome(await target.api('POST', `${path}/resize?${query}`)), [400, message], path);
      }
    }
  },

  'without a terminal nothing happens, and nothing is refused': async (target) => {
    await using c = await run(target, IDLE);
    const exec = await startDetached(target, c, { Cmd: ['sleep', '1000'] });
    for (const query of ['h=10&w=20', ...ODD]) {
      for (const path of [c.path, `/exec/${exec}`]) {
        assert.deepEqual(outcome(await target.api('POST', `${path}/resize?${query}`)), [200, ''], path);
      }
    }
  },

  'of a container that does not run there is none': async (target) => {
    const resize = async (path: string) => outcome(await target.api('POST', `${path}/resize?h=4&w=5`));
    await using created = await create(target, 'true', TTY);
    await using c = await run(target, IDLE, TTY);
    assert.deepEqual(await resize(created.path), [409, `Container ${created.id} is not running`]);
    assert.deepEqual(await resize('/containers/nosuch'), [404, 'No such container: nosuch']);
    await target.api('POST', `${c.path}/pause`);
    assert.deepEqual(await resize(c.path), [200, ''], 'a paused one has its terminal');
    await target.api('POST', `${c.path}/unpause`);
    await target.api('POST', `${c.path}/kill`);
    await c.wait();
    assert.deepEqual(await resize(c.path), [409, `Container ${c.id} is not running`]);
  },

  'of an exec: while its container runs and is not paused': async (target) => {
    const resize = async (id: string) => outcome(await target.api('POST', `/exec/${id}/resize?h=4&w=5`));
    await using c = await run(target, IDLE);
    const running = await startDetached(target, c, { Tty: true, Cmd: ['sleep', '1000'] });
    const ended = await startDetached(target, c, { Tty: true, Cmd: ['true'] });
    const idle = await createExec(target, c, { Tty: true, Cmd: ['true'] });
    await eventually('it has ended', async () => (await resize(ended))[0] === 404);
    assert.deepEqual(await resize(ended), [404, 'no such exec']);
    assert.deepEqual(await resize('nosuch'), [404, 'No such exec instance: nosuch']);
    await target.api('POST', `${c.path}/pause`);
    const paused = `Container ${c.id} is paused, unpause the container before exec`;
    for (const id of [running, ended, idle]) assert.deepEqual(await resize(id), [409, paused]);
    await target.api('POST', `${c.path}/unpause`);
    await target.api('POST', `${c.path}/kill`);
    await c.wait();
    await eventually('one that was never started is gone', async () => (await resize(idle))[0] === 404);
    const [status, message] = await resize(running);
    // Docker has another kind of error here, and tells how the container ended.
    assert.equal(status, target.name === 'dockerd' ? 500 : 409);
    assert.ok(message.startsWith(`Container ${c.id} is not running`), message);
  },

  'a size that comes before the start of an exec waits for that': async (target) => {
    await using c = await run(target, IDLE);
    const id = await createExec(target, c, { Tty: true, Cmd: ['sh', '-c', 'read line; stty size'] });
    const resized = target.api('POST', `/exec/${id}/resize?h=44&w=55`);
    await sleep(100);
    using stream = await hijack(target, `/exec/${id}/start`, { body: { Tty: true } });
    assert.deepEqual(outcome(await resized), [200, '']);
    stream.socket.write('\n');
    assert.match((await stream.ended()).toString(), /44 55\r\n$/u);
  },
});
