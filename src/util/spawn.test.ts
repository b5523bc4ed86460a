import assert from 'node:assert/strict';
import { test } from 'node:test';
import { kindOf } from './errors.ts';
import { run } from './spawn.ts';

test('collects both outputs and feeds the input', async () => {
  const result = await run('sh', ['-c', 'cat; echo oops >&2'], { input: 'hello' });
  assert.deepEqual(result, { code: 0, stdout: 'hello', stderr: 'oops\n' });
});

test('a failure carries the words of the tool', async () => {
  await assert.rejects(run('sh', ['-c', 'echo no luck >&2; exit 3']), /no luck/);
  const { code } = await run('sh', ['-c', 'exit 3'], { allowFailure: true });
  assert.equal(code, 3);
});

test('a missing tool is named', async () => {
  await assert.rejects(run('no-such-tool-here', []), (error) => {
    assert.equal(kindOf(error), 'unavailable');
    assert.match(String(error), /no-such-tool-here/);
    return true;
  });
});

test('input that the tool does not read is no error', async () => {
  const { code } = await run('true', [], { input: 'x'.repeat(1 << 20) });
  assert.equal(code, 0);
});
