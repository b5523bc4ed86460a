import type { HostConfig } from '../../spec/container.ts';
import { invalid } from '../../util/errors.ts';
import { isContainerMode } from './namespaces.ts';

type Field = 'IpcMode' | 'PidMode' | 'UTSMode' | 'CgroupnsMode' | 'UsernsMode';

const MODES: readonly (readonly [field: Field, title: string, words: readonly string[]])[] = [
  ['IpcMode', 'IPC', ['', 'none', 'private', 'shareable', 'host']],
  ['PidMode', 'PID', ['', 'host']],
  ['UTSMode', 'UTS', ['', 'host']],
  ['CgroupnsMode', 'cgroup namespace', ['', 'host', 'private']],
  ['UsernsMode', 'user namespace', ['', 'host']],
];

/** Checks which namespaces a container asks for. @throws `invalid` in Docker's words. */
export function validateModes(hostConfig: HostConfig): void {
  if (hostConfig.NetworkMode === 'container:') {
    throw invalid('invalid network mode: invalid container format container:<name|id>');
  }
  for (const [field, title, words] of MODES) {
    const mode = hostConfig[field];
    const joins = (field === 'IpcMode' || field === 'PidMode') && isContainerMode(mode) && mode !== 'container:';
    if (!joins && !words.includes(mode)) throw invalid(`invalid ${title} mode: ${mode}`);
  }
  // Docker keeps the field for engines of old and does nothing with it.
  if (hostConfig.Cgroup !== '') {
    throw invalid(`invalid cgroup mode: ${hostConfig.Cgroup}: containers cannot share a cgroup, use CgroupParent`);
  }
}
