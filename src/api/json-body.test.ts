import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CreateBodySchema } from '../spec/container.ts';
import { checkJson } from './json-body.ts';
import { checkDepth } from './json-depth.ts';

const check = (value: unknown) => checkJson(CreateBodySchema, 'CreateRequest', value);
const refused = (value: unknown, message: string) =>
  assert.throws(() => check(value), { kind: 'invalid', message: `invalid JSON: json: cannot unmarshal ${message}` });

test('what does not fit is told as Go tells it', () => {
  refused({ Image: 5 }, 'number into Go struct field CreateRequest.Image of type string');
  refused({ Tty: 'yes' }, 'string into Go struct field CreateRequest.Tty of type bool');
  refused({ Cmd: {} }, 'object into Go struct field CreateRequest.Cmd of type string');
  refused({ Env: [3] }, 'number into Go struct field CreateRequest.Env of type string');
  refused({ Env: 'A=1' }, 'string into Go struct field CreateRequest.Env of type array');
  refused({ HostConfig: { Memory: 'x' } }, 'string into Go struct field CreateRequest.HostConfig.Memory of type int64');
  refused(
    { HostConfig: { Memory: 1.5 } },
    'number 1.5 into Go struct field CreateRequest.HostConfig.Memory of type int64',
  );
  refused({ HostConfig: [] }, 'array into Go struct field CreateRequest.HostConfig of type object');
  refused([1], 'array into Go value of type CreateRequest');
  refused('x', 'string into Go value of type CreateRequest');
});

test('field names match regardless of case, deep inside too, and the last wins', () => {
  const body = check({
    image: 'a',
    IMAGE: 'b',
    labels: { Keep: 'Case' },
    hostconfig: {
      mounts: [{ target: '/t', bindoptions: { propagation: 'shared' } }],
      portbindings: { '80/tcp': [{ hostport: '1' }] },
    },
  });
  assert.equal(body.Image, 'b');
  assert.deepEqual(body.Labels, { Keep: 'Case' });
  assert.equal(body.HostConfig?.Mounts[0]?.Target, '/t');
  assert.equal(body.HostConfig?.Mounts[0]?.BindOptions?.Propagation, 'shared');
  assert.deepEqual(body.HostConfig?.PortBindings, { '80/tcp': [{ HostIp: '', HostPort: '1' }] });
});

test('an unknown field is no error and goes nowhere', () => {
  assert.equal('Nonsense' in check({ Nonsense: 1 }), false);
});

test('a prototype is not touched', () => {
  check(JSON.parse('{"__proto__":{"x":1},"Labels":{"__proto__":"y"}}'));
  assert.equal('x' in {}, false);
});

test('depth is limited, brackets in strings do not count', () => {
  checkDepth(`{"a":"${'['.repeat(500)}\\"${'['.repeat(500)}"}`);
  checkDepth('['.repeat(100) + ']'.repeat(100));
  assert.throws(() => checkDepth('['.repeat(101)), { kind: 'invalid', message: 'invalid JSON: exceeded max depth' });
});
