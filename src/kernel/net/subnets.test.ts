import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Cidr, formatCidr, parseCidr } from './ipv4.ts';
import { chooseSubnet, defaultPools, usedSubnets } from './subnets.ts';

const blocks = (...texts: string[]): Cidr[] => texts.flatMap((text) => parseCidr(text) ?? []);

test("the pools are Docker's, in Docker's order", () => {
  const pools = [...defaultPools()].map(formatCidr);
  assert.equal(pools.length, 15 + 16);
  assert.deepEqual(pools.slice(0, 2), ['172.17.0.0/16', '172.18.0.0/16']);
  assert.deepEqual(pools.slice(14, 17), ['172.31.0.0/16', '192.168.0.0/20', '192.168.16.0/20']);
  assert.equal(pools.at(-1), '192.168.240.0/20');
});

test('the first pool that overlaps nothing is chosen', () => {
  assert.equal(formatCidr(chooseSubnet([])), '172.17.0.0/16');
  assert.equal(formatCidr(chooseSubnet(blocks('172.17.0.0/16', '172.18.4.0/24'))), '172.19.0.0/16');
  assert.equal(formatCidr(chooseSubnet(blocks('172.16.0.0/12', '192.168.1.0/24'))), '192.168.16.0/20');
});

test('no free pool is an error in Docker’s words', () => {
  assert.throws(() => chooseSubnet(blocks('172.16.0.0/12', '192.168.0.0/16')), {
    kind: 'internal',
    message: /^could not find an available, non-overlapping IPv4 address pool/,
  });
});

test("the host's routes are read, the default route left out", async () => {
  const used = await usedSubnets('no-such-device');
  assert.ok(used.every((block) => block.prefix > 0));
});
