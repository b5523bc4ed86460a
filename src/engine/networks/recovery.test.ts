import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { run } from '../../util/spawn.ts';
import { ask, eventually, joinRequest, needsRoot, serve, type TestHost, testHost, traces } from './network-fixture.ts';
import type { Sandbox } from './networks.ts';

/** Starts a daemon, lets it join two containers, and kills it. */
async function killedDaemon({ dir, engineId }: TestHost): Promise<[Sandbox, Sandbox]> {
  const script = fileURLToPath(new URL('crash-child.ts', import.meta.url));
  const child = spawn(process.execPath, [script, dir, engineId], { stdio: ['ignore', 'pipe', 'inherit'] });
  const [text] = await once(child.stdout, 'data');
  const gone = once(child, 'exit');
  child.kill('SIGKILL');
  await gone;
  const sandboxes: [Sandbox, Sandbox] = JSON.parse(String(text));
  return sandboxes;
}

test('after kill -9 the living keep their network and everybody else leaves no trace', needsRoot, async (t) => {
  const host = testHost(t);
  const [stays, goes] = await killedDaemon(host);
  const port = Number(stays.ports['80/tcp']?.[0]?.HostPort);
  await using server = await serve(stays, 80);
  assert.ok(server);
  assert.match(await ask('127.0.0.1', port), /^tcp from/, 'with no daemon at all');

  await using stack = await host.open();
  assert.match(await ask('127.0.0.1', port), /^tcp from/, 'before recover');
  await stack.recover(new Set(['stays']));
  assert.match(await ask('127.0.0.1', port), /^tcp from/);
  assert.match(await ask('::1', port), /^tcp from/, 'the listener is open again');
  assert.deepEqual(stack.sandbox('stays'), stays);
  assert.equal(stack.sandbox('goes'), undefined);
  assert.ok(!existsSync(goes.netnsPath ?? ''));
  assert.equal(await ask('127.0.0.1', Number(goes.ports['80/tcp']?.[0]?.HostPort)), 'ECONNREFUSED');
  // The killed daemon's idle namespaces are gone too: one of the living, and the new pool's two.
  const names = async () => (await traces(host.tag)).filter((line) => line.startsWith('gantry-'));
  await eventually(async () => (await names()).length === 3);

  const fresh = await stack.join(joinRequest('fresh'));
  assert.notEqual(fresh.endpoints['bridge']?.ipAddress, stays.endpoints['bridge']?.ipAddress);
  await stack.leave('stays');
  assert.equal(await ask('127.0.0.1', port), 'ECONNREFUSED');
});

test('closing leaves the network of running containers alone', needsRoot, async (t) => {
  const host = testHost(t);
  const stack = await host.open();
  const sandbox = await stack.join(joinRequest('a', { portBindings: { '80/tcp': [{ HostIp: '', HostPort: '' }] } }));
  await using server = await serve(sandbox, 80);
  assert.ok(server);
  await stack[Symbol.asyncDispose]();
  const names = (await traces(host.tag)).filter((line) => line.startsWith('gantry-'));
  assert.equal(names.length, 1, 'idle namespaces go');
  assert.match(await ask('127.0.0.1', Number(sandbox.ports['80/tcp']?.[0]?.HostPort)), /^tcp from/);
});

test('a record that cannot be read is removed, with its namespace', needsRoot, async (t) => {
  const host = testHost(t);
  const stack = await host.open();
  const { netnsPath = '' } = await stack.join(joinRequest('torn'));
  await stack[Symbol.asyncDispose]();
  writeFileSync(join(host.dir, 'network', 'torn.json'), '{"containerId":');
  await using again = await host.open();
  await again.recover(new Set(['torn']));
  assert.deepEqual(readdirSync(join(host.dir, 'network')), []);
  assert.ok(!existsSync(netnsPath));
});

test('a remembered subnet that the host uses elsewhere by now is given up', needsRoot, async (t) => {
  const [host, squatter] = [testHost(t), testHost(t)];
  const first = await host.open();
  const [ipam] = first.get('bridge').ipam;
  await first.destroy();
  await using other = await squatter.open({ bip: `${ipam?.gateway}/16` });
  assert.equal(other.get('bridge').ipam[0]?.gateway, ipam?.gateway);
  await using again = await host.open();
  assert.notEqual(again.get('bridge').ipam[0]?.subnet, ipam?.subnet);
});

test('rules that somebody flushed are there again after a restart', needsRoot, async (t) => {
  const host = testHost(t);
  const stack = await host.open();
  await stack[Symbol.asyncDispose]();
  await run('nft', ['delete', 'table', 'ip', `gantry_${host.tag}`]);
  await using again = await host.open();
  assert.ok(again);
  assert.ok((await traces(host.tag)).some((line) => line.includes(`table ip gantry_${host.tag}`)));
});
