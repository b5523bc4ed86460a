import type { HostConfig } from '../../spec/container.ts';

/** Takes out limits of the kernel's own memory, which runtimes do not set any more. @returns the warnings of that. */
export function discardKernelMemory(hostConfig: HostConfig): string[] {
  const asked = (['KernelMemory', 'KernelMemoryTCP'] as const).filter((field) => hostConfig[field] !== 0);
  for (const field of asked) hostConfig[field] = 0;
  return asked.map((field) => `${field} is not supported by runtimes and kernels any more. Limitation discarded.`);
}
