import type { ContainerConfig, Healthcheck } from '../../spec/container.ts';
import { parseSignal } from '../../spec/signals.ts';
import { invalid } from '../../util/errors.ts';
import { validateExposed } from './validate-ports.ts';

const MAX_HOSTNAME_BYTES = 64;
/** Nanoseconds. */
const MILLISECOND = 1_000_000;

/** Checks the portable half of a container's configuration. @throws `invalid` in Docker's words. */
export function validateConfig(config: ContainerConfig): void {
  const { WorkingDir, StopSignal, Env, Hostname } = config;
  if (WorkingDir !== '' && !WorkingDir.startsWith('/')) {
    throw invalid(`the working directory '${WorkingDir}' is invalid, it needs to be an absolute path`);
  }
  for (const entry of Env) {
    if (entry === '' || entry.startsWith('=')) throw invalid(`invalid environment variable: ${entry}`);
  }
  if (StopSignal !== '') parseSignal(StopSignal);
  if (Buffer.byteLength(Hostname) > MAX_HOSTNAME_BYTES) {
    throw invalid(`invalid hostname: "${Hostname}" is longer than ${MAX_HOSTNAME_BYTES} bytes`);
  }
  validateExposed(config.ExposedPorts);
  if (config.Healthcheck !== null) validateHealthcheck(config.Healthcheck);
}

function validateHealthcheck(check: Healthcheck): void {
  for (const field of ['Interval', 'Timeout', 'StartPeriod', 'StartInterval'] as const) {
    if (check[field] !== 0 && check[field] < MILLISECOND) {
      throw invalid(`${field} in Healthcheck cannot be less than 1ms`);
    }
  }
  if (check.Retries < 0) throw invalid('Retries in Healthcheck cannot be negative');
}
