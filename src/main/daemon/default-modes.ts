import { invalid } from '../../util/errors.ts';
import type { DaemonConfig, PartialConfig } from './config.ts';

type Modes = Pick<DaemonConfig, 'defaultIpcMode' | 'defaultCgroupnsMode'>;

/** The namespaces of containers that name none, as configured. @throws `invalid` in dockerd's words for another mode. */
export function defaultModes(given: PartialConfig): Modes {
  return {
    defaultIpcMode: ipcMode(given['default-ipc-mode'] ?? 'private'),
    defaultCgroupnsMode: cgroupnsMode(given['default-cgroupns-mode']),
  };
}

function ipcMode(mode: string): Modes['defaultIpcMode'] {
  if (mode === 'private' || mode === 'shareable') return mode;
  throw invalid(`IPC mode "${mode}" is not supported as default value. Use "shareable" or "private".`);
}

function cgroupnsMode(mode: string | undefined): Modes['defaultCgroupnsMode'] {
  if (mode === undefined || mode === 'private' || mode === 'host') return mode;
  throw invalid(`default cgroup namespace mode (${mode}) is invalid; use "host" or "private"`);
}
