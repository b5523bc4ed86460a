import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decode, encode, jsonAny, timestampText } from './messages.ts';

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');

test('fields have the numbers containerd gives them', () => {
  const options = { typeUrl: 'u', value: Buffer.from('v') };
  const rootfs = [{ type: 'o', source: 's', options: ['a', 'b'] }];
  assert.equal(hex(encode('Mount', { type: 'o', source: 's', options: ['a', 'b'] })), '0a016f120173220161220162');
  assert.equal(
    hex(encode('CreateTaskRequest', { id: 'i', bundle: 'b', rootfs, terminal: true, stdout: 'x', options })),
    '0a0169120162' + '1a0c0a016f120173220161220162' + '2001' + '320178' + '52060a0175120176',
  );
  assert.equal(hex(encode('RuncOptions', { binaryName: 'c', root: 'r' })), '3201633a0172');
  assert.equal(hex(encode('KillRequest', { id: 'i', execId: 'e', signal: 9, all: true })), '0a016912016518092001');
  assert.equal(hex(encode('ResizePtyRequest', { id: 'i', width: 300, height: 1 })), '0a016918ac022001');
});

test('a timeout beyond 32 bits is written whole', () => {
  const bytes = encode('TtrpcRequest', { service: 'a', method: 'b', payload: Buffer.from('x'), timeoutNano: 5e9 });
  assert.equal(hex(bytes), '0a01611201621a01782080e497d012');
  assert.equal(decode('TtrpcRequest', bytes).timeoutNano, 5e9);
});

test('what was not sent has its zero value', () => {
  assert.deepEqual(decode('PidsResponse', new Uint8Array()), { processes: [] });
  const { status, payload } = decode('TtrpcResponse', new Uint8Array());
  assert.equal(status, null);
  assert.equal(payload.length, 0);
});

test('unknown fields are skipped', () => {
  const bytes = Buffer.concat([encode('StartResponse', { pid: 42 }), Buffer.from('fa0603616263', 'hex')]);
  assert.equal(decode('StartResponse', bytes).pid, 42);
});

test('bytes that are no message throw', () => {
  assert.throws(() => decode('StateResponse', Buffer.from('0aff', 'hex')));
});

test('objects go as JSON with the name of their type', () => {
  const { typeUrl, value } = jsonAny('types.example/Thing', { a: [1] });
  assert.equal(typeUrl, 'types.example/Thing');
  assert.equal(Buffer.from(value ?? []).toString(), '{"a":[1]}');
});

test('times have nanoseconds, and none is the zero time', () => {
  assert.equal(timestampText({ seconds: 1700000000, nanos: 5 }), '2023-11-14T22:13:20.000000005Z');
  assert.equal(timestampText({ seconds: 1700000000 }), '2023-11-14T22:13:20.000000000Z');
  assert.equal(timestampText(null), '0001-01-01T00:00:00Z');
});
