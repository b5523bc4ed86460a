import assert from 'node:assert/strict';
import { test } from 'node:test';
import { blockSize, formatCidr, formatIpv4, macOf, networkOf, overlaps, parseCidr, parseIpv4 } from './ipv4.ts';

const cidr = (text: string) => {
  const block = parseCidr(text);
  assert.ok(block, text);
  return block;
};

test('addresses go to numbers and back, the high ones unsigned', () => {
  for (const text of ['0.0.0.0', '127.0.0.1', '172.17.0.2', '192.168.255.255', '255.255.255.255']) {
    const address = parseIpv4(text);
    assert.ok(address !== undefined && address >= 0);
    assert.equal(formatIpv4(address), text);
  }
});

test('what is not dotted decimal is not an address', () => {
  for (const text of ['', '1.2.3', '1.2.3.4.5', '256.0.0.1', 'a.b.c.d', '::1', '1.2.3.4 ', '-1.2.3.4']) {
    assert.equal(parseIpv4(text), undefined, text);
  }
});

test('blocks parse with and without a prefix length', () => {
  assert.deepEqual(cidr('10.1.2.3/8'), { address: 0x0a010203, prefix: 8 });
  assert.deepEqual(cidr('10.1.2.3'), { address: 0x0a010203, prefix: 32 });
  for (const text of ['10.0.0.0/33', '10.0.0.0/x', '10.0.0.0/8/8', '10.0.0/8', '/8']) {
    assert.equal(parseCidr(text), undefined, text);
  }
});

test('the network of an address, its size and its text', () => {
  assert.equal(formatCidr(networkOf(cidr('172.31.44.5/16'))), '172.31.0.0/16');
  assert.equal(formatCidr(networkOf(cidr('192.168.31.7/20'))), '192.168.16.0/20');
  assert.equal(formatCidr(networkOf(cidr('255.255.255.255/0'))), '0.0.0.0/0');
  assert.equal(blockSize(20), 4096);
});

test('blocks overlap when one holds the other', () => {
  assert.ok(overlaps(cidr('172.17.0.0/16'), cidr('172.16.0.0/12')));
  assert.ok(overlaps(cidr('10.255.255.53'), cidr('10.0.0.0/8')));
  assert.ok(!overlaps(cidr('172.17.0.0/16'), cidr('172.18.0.0/16')));
  assert.ok(overlaps(cidr('0.0.0.0/0'), cidr('1.2.3.4')));
});

test('the hardware address carries the address', () => {
  assert.equal(macOf(cidr('172.17.0.2').address), '02:42:ac:11:00:02');
});
