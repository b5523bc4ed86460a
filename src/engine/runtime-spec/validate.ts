import type { HostFacts } from '../../kernel/host/host-facts.ts';
import type { ContainerConfig, HostConfig } from '../../spec/container.ts';
import { refuseUnsupportedHostConfig } from './unsupported.ts';
import { validateConfig } from './validate-config.ts';
import { validateHostConfig } from './validate-host-config.ts';
import { validateResources } from './validate-resources.ts';

/**
 * Checks a container's complete configuration against sense and against this host.
 *
 * Limits that the host cannot enforce are taken out of `hostConfig` and told as warnings.
 *
 * @returns warnings for the user. @throws `invalid` in Docker's words, `unsupported` naming a field of a feature to come.
 */
export function validateCreate(config: ContainerConfig, hostConfig: HostConfig, host: HostFacts): string[] {
  validateConfig(config);
  validateHostConfig(hostConfig, host);
  const warnings = validateResources(hostConfig, host);
  refuseUnsupportedHostConfig(hostConfig);
  return warnings;
}
