import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { ensureEngine } from './ensure-engine.ts';

const skip = process.getuid?.() === 0 ? false : 'needs root';

function directory() {
  const dir = mkdtempSync(join(tmpdir(), 'gantry-ensure-'));
  return { dir, socket: join(dir, 's.sock'), [Symbol.dispose]: () => rmSync(dir, { recursive: true, force: true }) };
}

/** A program that listens on the socket for a second, after a pause. */
const listener = (socket: string): [string, ...string[]] => [
  process.execPath,
  '-e',
  `setTimeout(() => require('net').createServer().listen(${JSON.stringify(socket)}), 100); setTimeout(() => process.exit(), 1000)`,
];

test('starts the engine and waits until it answers', { skip }, async () => {
  using it = directory();
  await ensureEngine({ socket: it.socket, command: listener(it.socket) });
  // It answers now: nothing is started, so a broken command does no harm.
  await ensureEngine({ socket: it.socket, command: ['/nonexistent'] });
});

test('where it is a service of the host, that one is started and no other', { skip }, async () => {
  using it = directory();
  let started = 0;
  const startService = async () => ++started > 0;
  await ensureEngine({ socket: it.socket, command: ['/nonexistent'], startService });
  assert.equal(started, 1);
});

test('of two that start it at once, the one that loses waits for the engine of the other', { skip }, async () => {
  using it = directory();
  writeFileSync(join(it.dir, 'gantry.pid'), `${process.pid}`);
  const server = createServer((connection) => connection.end());
  setTimeout(() => server.listen(it.socket), 100);
  await ensureEngine({ socket: it.socket, command: ['sh', '-c', 'exit 1'] });
  await new Promise((resolve) => server.close(resolve));
});

test('an engine that answers is left alone', async () => {
  using it = directory();
  const server = createServer((connection) => connection.end());
  await new Promise<void>((resolve) => server.listen(it.socket, resolve));
  await ensureEngine({ socket: it.socket, command: ['/nonexistent'] });
  await new Promise((resolve) => server.close(resolve));
});

test("an engine that fails shows its last words, a silent one its log's place", { skip }, async () => {
  using it = directory();
  const failing: [string, ...string[]] = ['sh', '-c', `echo '{"level":"fatal","msg":"no overlay here"}' >&2; exit 3`];
  await assert.rejects(ensureEngine({ socket: it.socket, command: failing }), {
    kind: 'unavailable',
    message: `the engine ended with status 3: no overlay here\n(its log is ${it.dir}/engine.log)`,
  });
  await assert.rejects(
    ensureEngine({ socket: it.socket, command: ['sleep', '0.6'], timeout: 200 }),
    /did not answer within 0.2 seconds/,
  );
  await assert.rejects(ensureEngine({ socket: it.socket, command: ['/nonexistent'] }), /ENOENT/);
});
