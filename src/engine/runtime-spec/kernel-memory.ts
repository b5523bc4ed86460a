import type { HostConfig } from '../../spec/container.ts';
import { invalid } from '../../util/errors.ts';

const MIN_KERNEL_MEMORY = 6 << 20;

/**
 * Takes out limits of the kernel's own memory, which runtimes do not set any more.
 *
 * @returns the warnings of that. @throws `invalid` in Docker's words.
 */
export function discardKernelMemory(hostConfig: HostConfig): string[] {
  const { KernelMemory } = hostConfig;
  if (KernelMemory > 0 && KernelMemory < MIN_KERNEL_MEMORY) throw invalid('Minimum kernel memory limit allowed is 6MB');
  const asked = (['KernelMemory', 'KernelMemoryTCP'] as const).filter((field) => hostConfig[field] !== 0);
  for (const field of asked) hostConfig[field] = 0;
  return asked.map((field) => `${field} is not supported by runtimes and kernels any more. Limitation discarded.`);
}
