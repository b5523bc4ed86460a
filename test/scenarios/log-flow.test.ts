import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { importBusybox } from '../support/both.ts';
import { eventually } from '../support/containers.ts';
import { PROGRAM, startGantry, type TestEngine } from '../support/gantry.ts';
import { makeKeyPair } from '../support/key-pair.ts';
import { streamReceiver } from '../support/log-receivers.ts';
import { command } from '../support/target.ts';

// What happens to the messages of a container when their receiver is slow, goes away, or the daemon does.

const stack = new AsyncDisposableStack();
let engine: TestEngine;
let pair: { key: string; cert: string };
before(async () => {
  const dir = await mkdtemp(join(tmpdir(), 'log-flow-'));
  stack.defer(() => rm(dir, { recursive: true }));
  pair = makeKeyPair(dir);
  // An authority that the administrator of this system trusts.
  engine = stack.use(await startGantry([], { env: { ...process.env, SSL_CERT_FILE: pair.cert } }));
  await importBusybox(engine);
});
after(() => stack.disposeAsync());

const FLOOD = 'yes 0123456789012345678901234567890123456789 | head -n 400000';

async function logged(address: string, script: string, more: Record<string, string> = {}): Promise<string> {
  const options = Object.entries({ 'syslog-address': address, tag: 'tag', ...more }).flatMap(([name, value]) => [
    '--log-opt',
    `${name}=${value}`,
  ]);
  const args = ['run', '-d', '--log-driver', 'syslog', ...options, 'busybox', 'sh', '-c', script];
  const { code, stdout, stderr } = await engine.docker(args);
  assert.equal(code, 0, stderr);
  return stdout.trim();
}

const status = async (id: string): Promise<string> =>
  (await engine.api('GET', `/containers/${id}/json`)).json<{ State: { Status: string } }>().State.Status;

test('a receiver that does not read holds up its container and no other; one told not to wait goes on', async () => {
  await using deaf = await streamReceiver({ onData: (_, socket) => void socket.pause() });
  const address = `tcp://127.0.0.1:${deaf.port}`;
  const held = await logged(address, FLOOD);
  const free = await logged(address, `${FLOOD}; exit 3`, { mode: 'non-blocking', 'max-buffer-size': '100k' });
  assert.equal((await engine.docker(['wait', free])).stdout, '3\n');
  const neighbour = await engine.docker(['run', '--rm', 'busybox', 'echo', 'here']);
  assert.equal(neighbour.stdout, 'here\n');
  assert.equal(await status(held), 'running');
  // Its whole output is in the cache although the receiver has but a part.
  const { stdout } = await engine.docker(['logs', free]);
  assert.equal(stdout.length, 400_000 * 41);
  await engine.docker(['rm', '-f', held, free]);
});

test('a receiver over TLS is trusted when the system trusts it', async () => {
  const tls = { key: await readFile(pair.key), cert: await readFile(pair.cert) };
  await using receiver = await streamReceiver({ tls });
  for (const [driver, address] of [
    ['fluentd', `tls://127.0.0.1:${receiver.port}`],
    ['syslog', `tcp+tls://127.0.0.1:${receiver.port}`],
  ] as const) {
    const flags = ['--log-driver', driver, '--log-opt', `${driver}-address=${address}`];
    const { code, stderr } = await engine.docker(['run', '--rm', ...flags, 'busybox', 'echo', `hello ${driver}`]);
    assert.equal(code, 0, stderr);
    await receiver.until(`hello ${driver}`);
  }
});

test('a receiver that comes back gets what is said after that, and the container never notices', async () => {
  const first = await streamReceiver();
  const script = 'i=0; while :; do i=$((i+1)); echo line $i; sleep 0.05; done';
  const id = await logged(`tcp://127.0.0.1:${first.port}`, script);
  await first.until('line 3');
  await first[Symbol.asyncDispose]();
  await eventually('lines that nobody got', async () =>
    (await engine.docker(['logs', id])).stdout.includes('line 12\n'),
  );
  await using again = await streamReceiver({ listen: first.port });
  await again.until('line ');
  assert.equal(await status(id), 'running');
  await engine.docker(['rm', '-f', id]);
});

test('a daemon that was killed goes on sending, nothing twice, and the cache is whole', async () => {
  await using receiver = await streamReceiver();
  const script = 'i=0; while :; do i=$((i+1)); echo line $i; sleep 0.02; done';
  const id = await logged(`tcp://127.0.0.1:${receiver.port}`, script);
  await receiver.until('line 10\n');
  await engine.crash();
  await engine.start();
  const seen = Number(/line (\d+)\n[^\n]*$/.exec(receiver.text())?.[1] ?? 0);
  await receiver.until(`line ${seen + 20}\n`);
  await engine.docker(['stop', '-t', '0', id]);
  const numbers = [...receiver.text().matchAll(/line (\d+)\n/g)].map(([, number]) => Number(number));
  assert.equal(new Set(numbers).size, numbers.length, 'no message was sent twice');
  const kept = (await engine.docker(['logs', id])).stdout.trimEnd().split('\n');
  const gaps = kept.filter((line, i) => i > 0 && line !== `line ${Number(kept[i - 1]?.slice(5)) + 1}`);
  assert.ok(gaps.length <= 1, `one chunk at most is missing: ${gaps.join()}`);
  await engine.docker(['rm', '-f', id]);
});

/** A receiver that does not read before it is told to. */
async function deafReceiver() {
  const held: Socket[] = [];
  let deaf = true;
  const hold = (_: Buffer, socket: Socket) => {
    if (!deaf) return;
    socket.pause();
    held.push(socket);
  };
  const receiver = await streamReceiver({ onData: hold });
  const hear = () => {
    deaf = false;
    for (const socket of held) socket.resume();
  };
  return { ...receiver, hear };
}

test('a daemon that is told to end sends what waits, and not a line is missing anywhere', async () => {
  await using first = await deafReceiver();
  await using second = await deafReceiver();
  // More than the kernel keeps for the two sides of a connection.
  const script = `x=${'x'.repeat(4000)}; for i in $(seq 1 3500); do echo "line $i $x"; done`;
  const id = await logged(`tcp://127.0.0.1:${first.port}`, `${script}; exec sleep 1000`);
  const roomy = { mode: 'non-blocking', 'max-buffer-size': '64m' };
  const ended = await logged(`tcp://127.0.0.1:${second.port}`, script, roomy);
  const last = async () => (await engine.docker(['logs', '--tail', '1', id])).stdout;
  await eventually('the container is held up', async () => {
    const line = await last();
    await sleep(300);
    return line !== '' && (await last()) === line;
  });
  assert.equal((await engine.docker(['wait', ended])).stdout, '0\n');
  const ending = engine.terminate();
  await sleep(300);
  for (const receiver of [first, second]) receiver.hear();
  await ending;
  await engine.start();
  for (const receiver of [first, second]) {
    await receiver.until('line 3500 ');
    const numbers = [...receiver.text().matchAll(/line (\d+) /g)].map(([, number]) => Number(number));
    const gap = numbers.findIndex((number, i) => number !== i + 1);
    assert.equal(gap, -1, numbers.slice(gap - 1, gap + 2).join());
  }
  await engine.docker(['rm', '-f', id, ended]);
});

test('a log can be emptied, of a container that runs and of one that does not', async () => {
  const script = 'echo before; read -r _ < /go; echo after';
  await engine.docker(['run', '-d', '--name', 'full', 'busybox', 'sh', '-c', `mkfifo /go; ${script}`]);
  const show = async () => (await engine.docker(['logs', 'full'])).stdout;
  const clear = async () => {
    const host = ['--host', `unix://${engine.socket}`];
    const { code, stderr } = await command(process.execPath, [PROGRAM, ...host, 'logs', '--clear', 'full']);
    assert.equal(code, 0, stderr);
  };
  await eventually('the first line', async () => (await show()) === 'before\n');
  await clear();
  assert.equal(await show(), '');
  await engine.docker(['exec', 'full', 'sh', '-c', 'echo > /go']);
  await engine.docker(['wait', 'full']);
  assert.equal(await show(), 'after\n');
  await clear();
  assert.equal(await show(), '');
  await engine.docker(['rm', 'full']);
});
