import assert from 'node:assert/strict';
import { test } from 'node:test';
import { discardKernelMemory } from './kernel-memory.ts';
import { testHostConfig } from './test-container.ts';

test('a limit of kernel memory is taken out and told', () => {
  const asked = testHostConfig({ KernelMemory: 1e8, KernelMemoryTCP: 1e8 });
  assert.equal(discardKernelMemory(asked).length, 2);
  assert.deepEqual([asked.KernelMemory, asked.KernelMemoryTCP], [0, 0]);
  assert.deepEqual(discardKernelMemory(asked), []);
  assert.throws(() => discardKernelMemory(testHostConfig({ KernelMemory: 1 })), {
    kind: 'invalid',
    message: 'Minimum kernel memory limit allowed is 6MB',
  });
});
