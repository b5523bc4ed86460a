import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, truncateSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { after, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { IoPipes, PipeReader } from '../../kernel/stdio/io-pool.ts';
import { kindOf } from '../../util/errors.ts';
import type { OutputName, OutputSink } from '../engine.ts';
import { openLogWriter } from '../logs/log-writer.ts';
import { type HubAttach, StdioHub } from './hub.ts';

const dir = mkdtempSync(join(tmpdir(), 'gantry-hub-'));
after(() => rmSync(dir, { recursive: true, force: true }));
let logs = 0;

/** The daemon's end of a pipe, and what the process would have written into it. */
class FakeReader implements PipeReader {
  paused = false;
  #listener: (chunk: Buffer) => void = () => {};
  #waiting: Buffer[] = [];

  onData(listener: (chunk: Buffer) => void): void {
    this.#listener = listener;
  }
  pause(): void {
    this.paused = true;
  }
  resume(): void {
    this.paused = false;
    this.#pass();
  }
  drain(): void {
    for (const chunk of this.#waiting.splice(0)) this.#listener(chunk);
  }
  close(): void {}
  /** The process writes. */
  print(text: string | Buffer): void {
    this.#waiting.push(Buffer.from(text));
    this.#pass();
  }
  #pass(): void {
    while (!this.paused && this.#waiting.length > 0) this.#listener(this.#waiting.shift() as Buffer);
  }
}

function fakePipes(tty: boolean) {
  const stdout = new FakeReader();
  const stderr = new FakeReader();
  const input = { text: '', closed: false };
  const stdin = {
    write: async (data: Buffer) => {
      if (input.closed) throw new Error('closed');
      input.text += data.toString();
    },
    close: () => {
      input.closed = true;
    },
  };
  const pipes: IoPipes = {
    paths: { stdin: '', stdout: '', stderr: '' },
    stdout,
    stderr: tty ? undefined : stderr,
    stdin,
    release: () => {},
  };
  return { pipes, stdout, stderr, input };
}

function openHub(options: { tty?: boolean; stdinOnce?: boolean; log?: boolean } = {}) {
  const fakes = fakePipes(options.tty ?? false);
  const path = join(dir, `log-${++logs}`);
  const config = { Type: 'json-file', Config: {} };
  const log = options.log === false ? undefined : openLogWriter({ config, path, attrs: {} });
  const told = { closed: 0 };
  const hub = new StdioHub({
    pipes: fakes.pipes,
    log,
    stdinOnce: options.stdinOnce ?? false,
    closeStdin: async () => void told.closed++,
  });
  return { ...fakes, hub, path, told };
}

/** A client's sink; `room` bytes fit until it lags. */
class FakeSink implements OutputSink {
  text = '';
  order: OutputName[] = [];
  room = Number.POSITIVE_INFINITY;
  dead = false;
  #drained = Promise.withResolvers<void>();

  write(stream: OutputName, data: Buffer): boolean {
    if (this.dead) throw new Error('EPIPE');
    this.text += data.toString();
    this.order.push(stream);
    this.room -= data.length;
    return this.room > 0;
  }
  async drained(): Promise<void> {
    if (this.room > 0) return;
    await this.#drained.promise;
  }
  read(room = Number.POSITIVE_INFINITY): void {
    this.room = room;
    this.#drained.resolve();
    this.#drained = Promise.withResolvers();
  }
}

function attach(hub: StdioHub, options: Partial<HubAttach> = {}) {
  const sink = new FakeSink();
  const gone = new AbortController();
  const done = hub.attach({ sink, signal: gone.signal, ...options });
  return { sink, gone, done };
}

const until = async (condition: () => boolean): Promise<void> => {
  for (const deadline = Date.now() + 15_000; !condition(); await sleep(1)) {
    assert.ok(Date.now() < deadline, `never: ${String(condition)}`);
  }
};

test('output reaches the log in the same tick, and every client in order of arrival', async () => {
  const { hub, stdout, stderr, path } = openHub();
  const [one, two] = [attach(hub), attach(hub, { stderr: false })];
  stdout.print('a\n');
  assert.match(readFileSync(path, 'utf8'), /"log":"a\\n"/);
  stderr.print('b\n');
  stdout.print('c\n');
  await hub.finish();
  assert.deepEqual(await Promise.all([one.done, two.done]), ['ended', 'ended']);
  assert.equal(one.sink.text, 'a\nb\nc\n');
  assert.deepEqual(one.sink.order, ['stdout', 'stderr', 'stdout']);
  assert.equal(two.sink.text, 'a\nc\n');
});

test('a client that lags pauses both pipes until it has drained', async () => {
  const { hub, stdout, stderr } = openHub();
  const slow = attach(hub);
  const quick = attach(hub);
  slow.sink.room = 3;
  stdout.print('1234');
  assert.deepEqual([stdout.paused, stderr.paused], [true, true]);
  stdout.print('5678');
  stderr.print('err');
  assert.equal(quick.sink.text, '1234');
  slow.sink.read();
  await until(() => !stdout.paused);
  assert.equal(quick.sink.text.length, 11);
  assert.equal(slow.sink.text.length, 11);
  await hub.finish();
});

test('pipes stay paused until the last laggard is ready', async () => {
  const { hub, stdout } = openHub();
  const [one, two] = [attach(hub), attach(hub)];
  one.sink.room = two.sink.room = 1;
  stdout.print('xx');
  one.sink.read();
  await sleep(5);
  assert.equal(stdout.paused, true);
  two.sink.read();
  await until(() => !stdout.paused);
  await hub.finish();
});

test('a laggard that goes away, or whose socket died, holds up nobody', async () => {
  const { hub, stdout } = openHub();
  const [one, two, stays] = [attach(hub), attach(hub), attach(hub)];
  one.sink.room = 1;
  stdout.print('xx');
  assert.equal(stdout.paused, true);
  one.gone.abort();
  assert.equal(await one.done, 'client-gone');
  assert.equal(stdout.paused, false);
  two.sink.dead = true;
  stdout.print('yy');
  assert.equal(await two.done, 'client-gone');
  stdout.print('zz');
  await hub.finish();
  assert.equal(await stays.done, 'ended');
  assert.equal(stays.sink.text, 'xxyyzz');
});

test('finish takes what is left in the pipes and waits for nobody', async () => {
  const { hub, stdout, path } = openHub();
  const slow = attach(hub);
  slow.sink.room = 1;
  stdout.print('first ');
  stdout.print('rest');
  await hub.finish();
  await hub.finish();
  assert.match(readFileSync(path, 'utf8'), /"log":"first rest","stream":"stdout"/);
  let ended = false;
  void slow.done.then(() => (ended = true));
  await sleep(5);
  assert.equal(ended, false);
  slow.sink.read();
  assert.equal(await slow.done, 'ended');
  assert.equal(slow.sink.text, 'first rest');
});

test('after the exit a laggard no longer holds up the rest, up to a bound', async () => {
  const { hub, stdout } = openHub({ log: false });
  const slow = attach(hub);
  slow.sink.room = 1;
  stdout.print('xx');
  assert.equal(stdout.paused, true);
  hub.exited();
  assert.equal(stdout.paused, false);
  for (let i = 0; i < 5; i++) stdout.print(Buffer.alloc(1024 * 1024, 'x'));
  assert.equal(stdout.paused, true);
  slow.gone.abort();
  await slow.done;
  await hub.finish();
});

test('attach after the end ends at once', async () => {
  const { hub } = openHub();
  await hub.finish();
  assert.equal(await attach(hub).done, 'ended');
  const gone = AbortSignal.abort();
  assert.equal(await hub.attach({ sink: new FakeSink(), signal: gone }), 'client-gone');
});

test('a replay goes over into live output without gap or repetition', { timeout: 20_000 }, async () => {
  const { hub, stdout, stderr } = openHub();
  let printed = '';
  const print = (text: string) => {
    printed += text;
    stdout.print(text);
  };
  for (let i = 0; i < 20_000; i++) print(`old ${i}\n`);
  print('unfinished ');
  const client = attach(hub, { logs: true });
  for (let i = 0; i < 5000; i++) {
    print(`live ${i}\n`);
    if (i % 50 === 0) await sleep(0);
  }
  await until(() => !stdout.paused && client.sink.text.includes('live 4999'));
  print('end');
  stderr.print('x');
  await hub.finish();
  assert.equal(await client.done, 'ended');
  assert.equal(client.sink.text === `${printed}x`, true, `${client.sink.text.length} bytes of ${printed.length + 1}`);
});

test('a replay to a client that lags waits for it', async () => {
  const { hub, stdout } = openHub();
  for (let i = 0; i < 1000; i++) stdout.print(`line ${i}\n`);
  const sink = new FakeSink();
  sink.room = 100;
  const { done, gone } = attach(hub, { logs: true, sink });
  await sleep(20);
  assert.ok(sink.text.length < 120, `${sink.text.length} bytes`);
  sink.read();
  await until(() => sink.text.endsWith('line 999\n'));
  stdout.print('live\n');
  await until(() => sink.text.endsWith('live\n'));
  gone.abort();
  assert.equal(await done, 'client-gone');
  await hub.finish();
});

test('a replay that the end overtakes is completed', async () => {
  const { hub, stdout } = openHub();
  for (let i = 0; i < 1000; i++) stdout.print(`line ${i}\n`);
  const client = attach(hub, { logs: true });
  stdout.print('last words');
  await hub.finish();
  assert.equal(await client.done, 'ended');
  assert.match(client.sink.text, /^line 0\n[^]*line 999\nlast words$/);
});

for (const [what, spoil] of [
  ['removed', (path: string) => rmSync(path)],
  ['emptied', (path: string) => truncateSync(path)],
] as const) {
  test(`a replay of a log that somebody ${what} ends, and live output goes on`, { timeout: 20_000 }, async () => {
    const { hub, stdout, path } = openHub();
    stdout.print('old\n');
    spoil(path);
    const client = attach(hub, { logs: true });
    let printed = '';
    for (let i = 0; client.sink.text === ''; i++) {
      printed += `live ${i}\n`;
      stdout.print(`live ${i}\n`);
      await sleep(1);
    }
    await hub.finish();
    assert.equal(await client.done, 'ended');
    // What comes while the replay looks for a file that is gone is in no file any more; an emptied one is written on.
    if (what === 'emptied') assert.equal(client.sink.text, printed);
    else assert.ok(printed.endsWith(client.sink.text), client.sink.text);
  });
}

test('several clients type; the end of one does not end the input', async () => {
  const { hub, input, told } = openHub();
  const [a, b] = [new PassThrough(), new PassThrough()];
  attach(hub, { stdin: a });
  attach(hub, { stdin: b });
  a.end('from a;');
  await until(() => input.text === 'from a;');
  b.write('from b');
  await until(() => input.text === 'from a;from b');
  assert.deepEqual([input.closed, told.closed], [false, 0]);
  await hub.finish();
});

test('with stdinOnce the input ends with the first client’s, after everything was written', async () => {
  const { hub, input, told } = openHub({ stdinOnce: true });
  const stdin = new PassThrough();
  const client = attach(hub, { stdin });
  stdin.end('x'.repeat(100_000));
  await until(() => told.closed === 1);
  assert.deepEqual([input.text.length, input.closed], [100_000, true]);
  const second = new PassThrough();
  attach(hub, { stdin: second });
  second.end('too late');
  await hub.finish();
  assert.equal(await client.done, 'ended');
  assert.deepEqual([input.text.length, told.closed], [100_000, 1]);
});

test('with stdinOnce a client that breaks off ends the input, too', async () => {
  const { hub, input, told } = openHub({ stdinOnce: true });
  const stdin = new PassThrough();
  const { gone } = attach(hub, { stdin });
  stdin.write('half');
  await until(() => input.text === 'half');
  gone.abort();
  stdin.destroy();
  await until(() => told.closed === 1);
  await hub.finish();
});

test('at a terminal the detach keys end one attachment, and what looks like them passes', async () => {
  const { hub, input, stdout, told } = openHub({ tty: true, stdinOnce: true });
  const stdin = new PassThrough();
  const leaving = attach(hub, { stdin, detachKeys: 'ctrl-a,x' });
  const staying = attach(hub);
  stdin.write('ls\n\x01');
  stdin.write('y');
  await until(() => input.text === 'ls\n\x01y');
  stdin.write('\x01');
  stdin.write('x ignored');
  assert.equal(await leaving.done, 'detached');
  assert.equal(input.text, 'ls\n\x01y');
  stdout.print('still here');
  assert.equal(leaving.sink.text, '');
  assert.equal(staying.sink.text, 'still here');
  assert.deepEqual([input.closed, told.closed], [false, 0]);
  await hub.finish();
});

test('without a terminal the detach keys are plain bytes', async () => {
  const { hub, input } = openHub();
  const stdin = new PassThrough();
  attach(hub, { stdin });
  stdin.write('a\x10\x11b');
  await until(() => input.text === 'a\x10\x11b');
  await hub.finish();
});

test('detach keys that are none are refused', async () => {
  const { hub } = openHub();
  await assert.rejects(hub.attach({ signal: new AbortController().signal, detachKeys: 'foo' }), (error: Error) => {
    assert.equal(error.message, 'Invalid escape keys (foo) provided');
    return kindOf(error) === 'invalid';
  });
  await hub.finish();
});

test('a client with input alone is done when its input ends', async () => {
  const { hub, input } = openHub();
  const stdin = new PassThrough();
  const done = hub.attach({ stdin, signal: new AbortController().signal });
  stdin.end('x');
  assert.equal(await done, 'ended');
  assert.equal(input.text, 'x');
  await hub.finish();
});

test('a stopping daemon lets its clients go and leaves the unfinished line to the next', async () => {
  const { hub, stdout, path } = openHub();
  const client = attach(hub);
  stdout.print('whole\nhalf ');
  hub.close();
  assert.equal(await client.done, 'client-gone');
  assert.equal(stdout.paused, true);
  const next = openLogWriter({ config: { Type: 'json-file', Config: {} }, path, attrs: {} });
  next.write('stdout', Buffer.from('line\n'));
  next.end();
  assert.match(readFileSync(path, 'utf8'), /"log":"whole\\n".*\n\{"log":"half line\\n"/);
});
