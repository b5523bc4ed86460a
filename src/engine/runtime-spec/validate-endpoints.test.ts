import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as v from 'valibot';
import { EndpointConfigSchema } from '../../spec/container.ts';
import { validateEndpoints } from './validate-endpoints.ts';

const check = (asked: Record<string, object>, mode = 'default') => {
  const parsed = Object.entries(asked).map(([name, endpoint]) => [name, v.parse(EndpointConfigSchema, endpoint)]);
  validateEndpoints(Object.fromEntries(parsed), mode);
};

test('an endpoint that asks nothing of the container’s own network is fine', () => {
  assert.doesNotThrow(() => check({}));
  assert.doesNotThrow(() => check({ default: { Aliases: null, IPAMConfig: null, DriverOpts: null } }, ''));
  assert.doesNotThrow(() => check({ bridge: { IPAMConfig: {}, Links: [], GwPriority: 3 } }));
  assert.doesNotThrow(() => check({ host: {} }, 'host'));
  assert.doesNotThrow(() => check({ 'container:x': {} }, 'container:x'));
});

test('what the predefined networks do not have is refused in the words of Docker', () => {
  const address = 'user specified IP address is supported on user defined networks only';
  const refused = (endpoint: object, message: string) =>
    assert.throws(() => check({ bridge: endpoint }), { kind: 'invalid', message });
  refused({ IPAMConfig: { IPv4Address: '172.17.0.9' } }, address);
  refused({ IPAMConfig: { IPv6Address: 'fd00::9' } }, address);
  refused({ Aliases: ['a'] }, 'network-scoped alias is supported only for containers in user defined networks');
});

test('what is to come is refused by name', () => {
  const refused = (endpoint: object, field: string) =>
    assert.throws(() => check({ bridge: endpoint }), {
      kind: 'unsupported',
      message: `NetworkingConfig ${field} is not supported yet by this engine`,
    });
  refused({ MacAddress: '02:42:ac:11:00:02' }, 'MacAddress');
  refused({ Links: ['a'] }, 'Links');
  refused({ DriverOpts: { a: 'b' } }, 'DriverOpts');
  refused({ IPAMConfig: { LinkLocalIPs: ['169.254.1.1'] } }, 'IPAMConfig.LinkLocalIPs');
});

test('other networks than the one of its mode', () => {
  assert.throws(() => check({ nope: {} }), { kind: 'not-found', message: 'network nope not found' });
  assert.throws(() => check({ bridge: {}, host: {} }), {
    kind: 'unsupported',
    message: 'a container cannot be in the networks bridge and host at once yet',
  });
});
