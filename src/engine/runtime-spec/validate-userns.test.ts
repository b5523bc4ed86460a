import assert from 'node:assert/strict';
import { test } from 'node:test';
import { testHostConfig } from './test-container.ts';
import { validateUserns } from './validate-userns.ts';

test('a remapped container has nothing of the host that only its root may have', () => {
  const check = (asked: object) => () => validateUserns(testHostConfig(asked));
  assert.throws(check({ Privileged: true }), {
    kind: 'invalid',
    message: /^privileged mode is incompatible with user/,
  });
  assert.throws(check({ NetworkMode: 'host' }), { message: /^cannot share the host's network namespace when user/ });
  assert.throws(check({ PidMode: 'host' }), { message: /^cannot share the host PID namespace when user namespaces/ });
  check({ UTSMode: 'host', IpcMode: 'shareable' })();
});
