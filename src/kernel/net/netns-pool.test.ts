import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdirSync, rmdirSync } from 'node:fs';
import { test } from 'node:test';
import { silentLog } from '../../util/log.ts';
import { run } from '../../util/spawn.ts';
import { AddressPool } from './addresses.ts';
import { addressesOf, ensureBridge, removeBridge } from './bridge.ts';
import { formatIpv4, parseCidr } from './ipv4.ts';
import { listNetns, netnsPath, serials } from './netns-names.ts';
import { NetnsPool } from './netns-pool.ts';
import { NetnsReaper } from './netns-reaper.ts';

const root = process.getuid?.() === 0 ? {} : { skip: 'needs root for network namespaces' };

/** A bridge without its host's attention: a /24 of TEST-NET-2, in a random place. */
async function bench(t: { after(work: () => Promise<void>): void }, { size = 2, prefix = 24 } = {}) {
  const tag = randomBytes(3).toString('hex');
  const bridge = `gtry${tag}`;
  const gateway = parseCidr(`198.${18 + (randomBytes(1).readUInt8() % 2)}.${randomBytes(1).readUInt8()}.1/${prefix}`);
  assert.ok(gateway);
  await ensureBridge(bridge, gateway);
  const reaper = new NetnsReaper(tag);
  const addresses = new AddressPool(gateway, gateway.address);
  const pool = new NetnsPool({ tag, bridge, gateway, addresses, reaper, size, log: silentLog() });
  t.after(async () => {
    await pool[Symbol.asyncDispose]();
    await reaper.remove(listNetns(tag));
    await removeBridge(bridge);
  });
  return { tag, bridge, gateway, reaper, pool, addresses };
}

const inside = async (netns: string, ...command: string[]): Promise<string> =>
  (await run('nsenter', [`--net=${netnsPath(netns)}`, ...command])).stdout;

test('a slot is a namespace with address, route and IPv6 off, and reaches the bridge', root, async (t) => {
  const { pool, gateway } = await bench(t);
  const slot = await pool.take();
  const address = formatIpv4(slot.address);
  const text = await inside(slot.netns, 'ip', '-o', 'addr');
  assert.match(text, /lo\s+inet 127\.0\.0\.1\/8/);
  assert.match(text, new RegExp(`eth0\\s+inet ${address.replaceAll('.', '\\.')}/24 brd `));
  assert.ok(!text.includes('inet6'), text);
  assert.match(await inside(slot.netns, 'ip', 'link', 'show', 'eth0'), new RegExp(`link/ether ${slot.mac}`));
  assert.match(
    await inside(slot.netns, 'ip', 'route'),
    new RegExp(`default via ${formatIpv4(gateway.address)} dev eth0`),
  );
  for (const name of ['all', 'default', 'lo', 'eth0']) {
    assert.equal((await inside(slot.netns, 'cat', `/proc/sys/net/ipv6/conf/${name}/disable_ipv6`)).trim(), '1', name);
  }
});

test('the pool refills itself and never gives a namespace twice', root, async (t) => {
  const { pool, tag, reaper } = await bench(t);
  await pool.settled();
  assert.equal(pool.ready().length, 2);
  const slots = await Promise.all(Array.from({ length: 20 }, () => pool.take()));
  assert.equal(new Set(slots.map(({ netns }) => netns)).size, 20);
  assert.equal(new Set(slots.map(({ address }) => address)).size, 20);
  await pool.settled();
  assert.equal(pool.ready().length, 2);
  await Promise.all(slots.map(({ netns }) => reaper.remove([netns])));
  assert.deepEqual(listNetns(tag).toSorted(), pool.ready().toSorted());
});

test('a subnet that is used up fails the start that waits, and recovers', root, async (t) => {
  const { pool, reaper, addresses } = await bench(t, { size: 0, prefix: 30 });
  const only = await pool.take();
  await assert.rejects(pool.take(), /no available IPv4 addresses/);
  await reaper.remove([only.netns]);
  addresses.free(only.address);
  assert.equal((await pool.take()).address, only.address);
});

test('a bridge that went away is an error, with nothing left behind', root, async (t) => {
  const { pool, bridge, tag } = await bench(t, { size: 0 });
  await removeBridge(bridge);
  await assert.rejects(pool.take(), { kind: 'internal' });
  assert.deepEqual(listNetns(tag), []);
});

test('a bare namespace has only lo, up', root, async (t) => {
  const { pool } = await bench(t, { size: 0 });
  const links = await inside(await pool.bare(), 'ip', '-o', 'link');
  assert.equal(links.trim().split('\n').length, 1);
  assert.match(links, /lo: <LOOPBACK,UP/);
});

test('serial numbers go on behind what is there; a second removal is no error', root, async (t) => {
  const { pool, tag, reaper } = await bench(t, { size: 0 });
  const { netns } = await pool.take();
  assert.equal(serials(tag)(), Number.parseInt(netns.split('-').at(-1) ?? '', 16) + 1);
  await reaper.remove([netns]);
  await reaper.remove([netns]);
  await reaper.idle();
});

test('a namespace that stays is told to who wanted it gone, not to others', root, async (t) => {
  const { pool, reaper, tag } = await bench(t, { size: 0 });
  const slots = await Promise.all([pool.take(), pool.take()]);
  const [stuck, other] = slots.map(({ netns }) => netns);
  assert.ok(stuck && other);
  // A directory in its place cannot be unlinked.
  await run('ip', ['netns', 'del', stuck]);
  mkdirSync(netnsPath(stuck));
  try {
    const [first, second] = await Promise.allSettled([reaper.remove([stuck]), reaper.remove([other])]);
    assert.match(String(first.status === 'rejected' && first.reason), new RegExp(`namespace ${stuck}: .+`));
    assert.equal(second.status, 'fulfilled');
    assert.deepEqual(listNetns(tag), [stuck]);
  } finally {
    rmdirSync(netnsPath(stuck));
  }
});

test('a bridge gets a new address in place of the old, and can be made twice', root, async (t) => {
  const { bridge, gateway } = await bench(t, { size: 0 });
  await ensureBridge(bridge, gateway);
  const moved = { ...gateway, address: gateway.address + 1 };
  await ensureBridge(bridge, moved);
  assert.deepEqual(await addressesOf(bridge), [`${formatIpv4(moved.address)}/24`]);
  assert.equal(await addressesOf('no-such-device0'), undefined);
});
