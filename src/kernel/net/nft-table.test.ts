import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { silentLog } from '../../util/log.ts';
import { run } from '../../util/spawn.ts';
import { parseCidr } from './ipv4.ts';
import { NftTable, type PortRule, removeTable, tableName, tableScript } from './nft-table.ts';

const gateway = parseCidr('172.31.0.1/16') ?? assert.fail();
const root = process.getuid?.() === 0 ? {} : { skip: 'needs root for nft' };
const web: PortRule = {
  protocol: 'tcp',
  hostIp: undefined,
  hostPort: 8080,
  containerIp: '172.31.0.2',
  containerPort: 80,
};
const dns: PortRule = { ...web, protocol: 'udp', hostIp: '127.0.0.1', hostPort: 53 };

test('the script replaces the table in one transaction', () => {
  const script = tableScript('00ff00', 'gtry00ff00', gateway, [web, dns]);
  assert.match(script, /^table ip gantry_00ff00\ndelete table ip gantry_00ff00\ntable ip gantry_00ff00 \{/);
  assert.match(script, /add element ip gantry_00ff00 published \{ tcp \. 8080 : 172\.31\.0\.2 \. 80 \}/);
  assert.match(
    script,
    /add element ip gantry_00ff00 published_at \{ 127\.0\.0\.1 \. udp \. 53 : 172\.31\.0\.2 \. 80 \}/,
  );
  assert.match(script, /oifname != "gtry00ff00" ip saddr 172\.31\.0\.0\/16 masquerade/);
  assert.match(script, /iifname != "lo" ip daddr 127\.0\.0\.0\/8 drop/);
});

async function elements(tag: string): Promise<string[]> {
  const { stdout } = await run('nft', ['list', 'table', 'ip', tableName(tag)]);
  return [...stdout.matchAll(/(?:tcp|udp) \. \d+ : \S+ \. \d+/g)].map(([text]) => text).toSorted();
}

test('ports come and go, many at a time', root, async (t) => {
  const tag = randomBytes(3).toString('hex');
  t.after(() => removeTable(tag));
  const table = new NftTable({ tag, bridge: `gtry${tag}`, gateway, rules: [web], log: silentLog() });
  await table.settled();
  assert.deepEqual(await elements(tag), ['tcp . 8080 : 172.31.0.2 . 80']);
  const more = Array.from({ length: 50 }, (_, i): PortRule => ({ ...dns, hostPort: 2000 + i }));
  await Promise.all(more.map((rule) => table.publish([rule])));
  assert.equal((await elements(tag)).length, 51);
  await Promise.all([table.withdraw(more), table.withdraw([web])]);
  assert.deepEqual(await elements(tag), []);
});

test('withdrawing what another container has by now leaves it alone', root, async (t) => {
  const tag = randomBytes(3).toString('hex');
  t.after(() => removeTable(tag));
  const table = new NftTable({ tag, bridge: `gtry${tag}`, gateway, rules: [web], log: silentLog() });
  await table.settled();
  await table.withdraw([{ ...web, containerIp: '172.31.0.9' }]);
  assert.equal((await elements(tag)).length, 1);
});

test('a table that somebody deleted comes back whole', root, async (t) => {
  const tag = randomBytes(3).toString('hex');
  t.after(() => removeTable(tag));
  const table = new NftTable({ tag, bridge: `gtry${tag}`, gateway, rules: [web], log: silentLog() });
  await table.settled();
  await run('nft', ['delete', 'table', 'ip', tableName(tag)]);
  await table.check();
  assert.deepEqual(await elements(tag), ['tcp . 8080 : 172.31.0.2 . 80'], 'found missing');
  await table.check();
  await run('nft', ['delete', 'table', 'ip', tableName(tag)]);
  await table.publish([dns]);
  assert.deepEqual(await elements(tag), ['tcp . 8080 : 172.31.0.2 . 80', 'udp . 53 : 172.31.0.2 . 80']);
  await table.remove();
  assert.notEqual((await run('nft', ['list', 'table', 'ip', tableName(tag)], { allowFailure: true })).code, 0);
});
