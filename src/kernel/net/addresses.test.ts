import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AddressPool } from './addresses.ts';
import { formatIpv4, parseCidr, parseIpv4 } from './ipv4.ts';

const at = (text: string): number => parseIpv4(text) ?? assert.fail(text);

function pool(text: string, gateway: string): AddressPool {
  return new AddressPool(parseCidr(text) ?? assert.fail(text), at(gateway));
}

test('addresses rise and skip the gateway', () => {
  const addresses = pool('172.17.0.1/16', '172.17.0.1');
  assert.equal(formatIpv4(addresses.take()), '172.17.0.2');
  assert.equal(formatIpv4(addresses.take()), '172.17.0.3');
});

test('a freed address comes back last', () => {
  const addresses = pool('10.0.0.0/29', '10.0.0.6');
  const first = Array.from({ length: 3 }, () => formatIpv4(addresses.take()));
  assert.deepEqual(first, ['10.0.0.1', '10.0.0.2', '10.0.0.3']);
  addresses.free(at('10.0.0.1'));
  const rest = Array.from({ length: 3 }, () => formatIpv4(addresses.take()));
  assert.deepEqual(rest, ['10.0.0.4', '10.0.0.5', '10.0.0.1']);
});

test('neither network nor broadcast address is handed out, and a full subnet is an error', () => {
  const addresses = pool('10.0.0.1/30', '10.0.0.1');
  assert.equal(formatIpv4(addresses.take()), '10.0.0.2');
  assert.throws(() => addresses.take(), { kind: 'internal', message: /no available IPv4 addresses/ });
  addresses.free(at('10.0.0.2'));
  assert.equal(formatIpv4(addresses.take()), '10.0.0.2');
});

test('a reserved address is not handed out', () => {
  const addresses = pool('10.0.0.0/29', '10.0.0.1');
  assert.ok(addresses.reserve(at('10.0.0.2')));
  assert.ok(!addresses.reserve(at('10.0.0.2')), 'twice');
  assert.ok(!addresses.reserve(at('10.0.1.2')), 'of another subnet');
  assert.ok(!addresses.reserve(at('10.0.0.7')), 'broadcast');
  assert.equal(formatIpv4(addresses.take()), '10.0.0.3');
});
