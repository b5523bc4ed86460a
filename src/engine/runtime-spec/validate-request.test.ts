import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as v from 'valibot';
import { ContainerConfigSchema, EndpointConfigSchema, HostConfigSchema } from '../../spec/container.ts';
import { validateRequest } from './validate-request.ts';

const check = (config: object, hostConfig: object = {}) =>
  validateRequest(v.parse(ContainerConfigSchema, config), v.parse(HostConfigSchema, hostConfig));
const withEndpoint = (name: string) =>
  validateRequest(v.parse(ContainerConfigSchema, {}), v.parse(HostConfigSchema, {}), {
    [name]: v.parse(EndpointConfigSchema, {}),
  });
const refused = (config: object, hostConfig: object, message: string) =>
  assert.throws(() => check(config, hostConfig), { kind: 'invalid', message });

test('what goes together', () => {
  assert.doesNotThrow(() => check({ Hostname: 'a' }, { NetworkMode: 'host' }));
  assert.doesNotThrow(() => check({}, { UTSMode: 'host', NetworkMode: 'container:x' }));
  assert.doesNotThrow(() => check({ Healthcheck: { Test: ['CMD', 'true'] } }));
  assert.doesNotThrow(() => withEndpoint('bridge'));
});

test('what contradicts itself', () => {
  const joined = { NetworkMode: 'container:x' };
  refused({ Hostname: 'a' }, { UTSMode: 'host' }, 'conflicting options: hostname and the UTS mode');
  refused({ Hostname: 'a' }, joined, 'conflicting options: hostname and the network mode');
  refused({}, { ...joined, Dns: ['1.1.1.1'] }, 'conflicting options: dns and the network mode');
  refused(
    {},
    { ...joined, ExtraHosts: ['a:1.1.1.1'] },
    'conflicting options: custom host-to-IP mapping and the network mode',
  );
  refused(
    {},
    { ...joined, PublishAllPorts: true },
    'conflicting options: port publishing and the container type network mode',
  );
  refused(
    { ExposedPorts: { '80/tcp': {} } },
    joined,
    'conflicting options: port exposing and the container type network mode',
  );
  refused({ MacAddress: 'a' }, { NetworkMode: 'host' }, 'conflicting options: mac-address and the network mode');
  refused(
    {},
    { ...joined, Links: ['a'] },
    "conflicting options: container type network can't be used with links. This would result in undefined behavior",
  );
  refused({}, { ShmSize: -1 }, 'SHM size can not be less than 0');
});

test('a network there is not', () => {
  assert.throws(() => withEndpoint('nope'), { kind: 'not-found', message: 'network nope not found' });
});

test('what is to come is refused by name', () => {
  const unsupported = (config: object, field: string) =>
    assert.throws(() => check(config), {
      kind: 'unsupported',
      message: `${field} is not supported yet by this engine`,
    });
  unsupported({ MacAddress: '02:42:ac:11:00:02' }, 'MacAddress');
});
