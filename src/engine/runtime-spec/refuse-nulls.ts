import type { ContainerConfig, HostConfig } from '../../spec/container.ts';
import { invalid } from '../../util/errors.ts';

/** Labels are text that nobody hands to the kernel. */
const FREE = ['Labels', 'Annotations'];

/**
 * Refuses a null character in anything that becomes a path, an argument or a setting: the kernel would read only what
 * stands before it.
 *
 * @throws `invalid` naming the field.
 */
export function refuseNulls(config: ContainerConfig, hostConfig: HostConfig): void {
  for (const [field, value] of [...Object.entries(config), ...Object.entries(hostConfig)] as [string, unknown][]) {
    if (!FREE.includes(field) && hasNull(value)) throw invalid(`invalid ${field}: it contains a null character`);
  }
}

function hasNull(value: unknown): boolean {
  if (typeof value === 'string') return value.includes('\0');
  if (typeof value !== 'object' || value === null) return false;
  return Object.entries(value).some(([name, inner]) => name.includes('\0') || hasNull(inner));
}
