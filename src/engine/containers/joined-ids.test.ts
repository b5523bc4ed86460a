import assert from 'node:assert/strict';
import { test } from 'node:test';
import { testContainer, testHostConfig } from '../runtime-spec/test-container.ts';
import { withJoinedIds } from './joined-ids.ts';
import { Registry } from './registry.ts';
import { track } from './tracked.ts';

const registry = new Registry();
registry.reserve('donor', 'ID');
registry.add(track({ ...testContainer(), name: 'donor' }));

const modesOf = (asked: object): string[] => {
  const { IpcMode, PidMode, NetworkMode } = withJoinedIds(testHostConfig(asked), registry);
  return [IpcMode, PidMode, NetworkMode];
};

test('names become ids, other modes stay', () => {
  const mode = 'container:donor';
  const id = 'container:ID';
  assert.deepEqual(modesOf({ IpcMode: mode, PidMode: mode, NetworkMode: mode }), [id, id, id]);
  assert.deepEqual(modesOf({ IpcMode: 'host', PidMode: 'host', NetworkMode: 'none' }), ['host', 'host', 'none']);
});

test('an unknown container is refused, but for its network, which is looked for at the start', () => {
  const refused = { kind: 'invalid', message: 'No such container: gone' };
  assert.throws(() => modesOf({ IpcMode: 'container:gone' }), refused);
  assert.throws(() => modesOf({ PidMode: 'container:gone' }), refused);
  assert.equal(modesOf({ NetworkMode: 'container:gone' })[2], 'container:gone');
});
