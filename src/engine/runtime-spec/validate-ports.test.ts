import assert from 'node:assert/strict';
import { test } from 'node:test';
import { validateBindings, validateExposed } from './validate-ports.ts';

test('exposed ports', () => {
  validateExposed({ '80/tcp': {}, '53/udp': {}, '9/SCTP': {}, '7': {}, '5-6/tcp': {} });
  for (const [port, named] of [
    ['99999/tcp', '99999'],
    ['-1/tcp', '-1'],
    ['x', 'x'],
    ['', ''],
    ['80/foo', '80/foo'],
  ] as const) {
    assert.throws(() => validateExposed({ [port]: {} }), { message: `invalid port specification: "${named}"` });
  }
});

test('published ports', () => {
  const at = (HostIp: string, HostPort: string) => ({ '80/tcp': [{ HostIp, HostPort }] });
  for (const [ip, port] of [
    ['', ''],
    ['127.0.0.1', '80'],
    ['::1', '8000-8010'],
    ['', '0'],
  ] as const) {
    validateBindings(at(ip, port));
  }
  assert.throws(() => validateBindings(at('', '9-5')), { message: 'invalid port specification: "9-5"' });
  assert.throws(() => validateBindings(at('', '70000')), { message: 'invalid port specification: "70000"' });
  assert.throws(() => validateBindings(at('nowhere', '80')), { message: 'invalid IP address: nowhere' });
});
