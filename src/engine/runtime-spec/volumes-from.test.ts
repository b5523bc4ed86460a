import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseVolumesFrom } from './volumes-from.ts';

test('a container, and whether it is to be read only', () => {
  assert.deepEqual(parseVolumesFrom('data'), { ref: 'data', readOnly: false });
  assert.deepEqual(parseVolumesFrom('data:'), { ref: 'data', readOnly: false });
  assert.deepEqual(parseVolumesFrom('data:z,ro'), { ref: 'data', readOnly: true });
});

test('what is refused, in the words of Docker', () => {
  const refused = (spec: string, message: string) =>
    assert.throws(() => parseVolumesFrom(spec), { kind: 'invalid', message });
  refused('', 'volumes-from specification cannot be an empty string');
  refused(':ro', 'invalid name or ID supplied: ""');
  for (const mode of ['xx', 'rslave', 'nocopy', 'ro:rw', 'ro,rw']) refused(`data:${mode}`, `invalid mode: ${mode}`);
});
