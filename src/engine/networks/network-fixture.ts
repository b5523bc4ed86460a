import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { createHash, randomInt } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { PortBinding } from '../../spec/container.ts';
import { type Db, openDb } from '../../store/db.ts';
import { randomId } from '../../util/id.ts';
import { silentLog } from '../../util/log.ts';
import { run } from '../../util/spawn.ts';
import { type JoinRequest, type NetworkStack, openNetworkStack, type Sandbox } from './networks.ts';

/** For tests that make real network devices. */
export const needsRoot = process.getuid?.() === 0 ? {} : { skip: 'needs root for network devices' };

export interface TestHost {
  readonly dir: string;
  readonly engineId: string;
  readonly tag: string;
  readonly db: Db;
  open(changes?: { bip?: string }): Promise<NetworkStack>;
}

/** An engine's place on this host, with an id of its own. Afterwards everything is destroyed and nothing may be left. */
export function testHost(t: { after(work: () => Promise<void>): void }): TestHost {
  const dir = mkdtempSync(join(tmpdir(), 'gantry-net-'));
  const engineId = randomId();
  const tag = createHash('sha256').update(engineId).digest('hex').slice(0, 6);
  const state: { db?: Db } = {};
  const host = {
    dir,
    engineId,
    tag,
    get db() {
      return (state.db ??= openDb(join(dir, 'meta.db')));
    },
    open: (changes = {}) => {
      const roots = { execRoot: dir, dataRoot: dir, engineId, db: host.db };
      return openNetworkStack({ ...roots, dns: [], poolSize: 2, log: silentLog(), ...changes });
    },
  };
  t.after(async () => {
    const stack = await host.open();
    await stack.recover(new Set());
    await stack.destroy();
    host.db.close();
    assert.deepEqual(await traces(tag), []);
    assert.deepEqual(readdirSync(join(dir, 'network')), []);
    rmSync(dir, { recursive: true });
  });
  return host;
}

/** Everything on this host that bears an engine's mark. */
export async function traces(tag: string): Promise<string[]> {
  const lists = [
    ['ip', 'netns'],
    ['ip', '-br', 'link'],
    ['nft', 'list', 'ruleset'],
  ] as const;
  const texts = await Promise.all(lists.map(async ([command, ...args]) => (await run(command, args)).stdout));
  return texts.flatMap((text) => text.split('\n').filter((line) => line.includes(tag)));
}

/** Publishes port 80 where no other test does: a port that the kernel chose may be another's the moment it is free. */
export function ownPort(): Record<string, PortBinding[]> {
  return { '80/tcp': [{ HostIp: '', HostPort: String(10_000 + randomInt(20_000)) }] };
}

export function joinRequest(containerId: string, changes: Partial<JoinRequest> = {}): JoinRequest {
  return { containerId, name: containerId, mode: '', portBindings: {}, publishAll: false, exposed: [], ...changes };
}

/** Runs JavaScript in a sandbox; `arg` is `process.argv[1]`. */
function nodeIn(sandbox: Sandbox, script: string, arg: string): ChildProcess {
  const args = [`--net=${sandbox.netnsPath ?? '/proc/1/ns/net'}`, process.execPath, '-e', script, arg];
  return spawn('nsenter', args, { stdio: ['ignore', 'pipe', 'inherit'] });
}

const SERVER = `
const port = Number(process.argv[1]);
const tcp = require('node:net').createServer((s) => { s.on('error', () => {}); s.end('tcp from ' + s.remoteAddress); });
const udp = require('node:dgram').createSocket('udp4');
udp.on('message', (data, from) => udp.send('udp from ' + from.address, from.port, from.address));
tcp.listen(port, '0.0.0.0', () => udp.bind(port, () => console.log('ready')));
`;

/** Answers on a TCP and UDP port in the sandbox with the address it was asked from. */
export async function serve(sandbox: Sandbox, port: number): Promise<AsyncDisposable> {
  const child = nodeIn(sandbox, SERVER, String(port));
  assert.ok(child.stdout);
  await once(child.stdout, 'data');
  return {
    async [Symbol.asyncDispose]() {
      const gone = once(child, 'exit');
      child.kill('SIGKILL');
      await gone;
    },
  };
}

/** What a TCP server answers, or the code of the error. */
export async function ask(host: string, port: number): Promise<string> {
  const socket = connect({ host, port, timeout: 3000 });
  const { promise, resolve } = Promise.withResolvers<string>();
  let text = '';
  socket.on('data', (chunk: Buffer) => (text += chunk.toString()));
  socket.on('error', (error) => resolve('code' in error ? String(error.code) : error.message));
  socket.on('timeout', () => resolve('timeout'));
  socket.on('close', () => resolve(text));
  const answer = await promise;
  socket.destroy();
  return answer;
}

const CLIENT = `
const [host, port] = process.argv[1].split(' ');
const s = require('node:net').connect({ host, port: Number(port), timeout: 3000 });
s.on('data', (d) => process.stdout.write(d)).on('timeout', () => s.destroy(new Error('timeout')));
s.on('error', (e) => process.stdout.write(e.code ?? e.message));
`;

/** The same from inside another sandbox. */
export async function askFrom(sandbox: Sandbox, host: string, port: number): Promise<string> {
  const child = nodeIn(sandbox, CLIENT, `${host} ${port}`);
  assert.ok(child.stdout);
  const chunks: string[] = [];
  for await (const chunk of child.stdout) chunks.push(String(chunk));
  return chunks.join('');
}

/** Tries until `probe` is true, for what the kernel does on its own time. */
export async function eventually(probe: () => Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 200; tries += 1) {
    if (await probe()) return;
    await sleep(20);
  }
  assert.fail('it never came about');
}
