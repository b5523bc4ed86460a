import type { HostFacts } from '../../kernel/host/host-facts.ts';
import type { HostConfig } from '../../spec/container.ts';
import { invalid } from '../../util/errors.ts';
import { parseExtraHost } from '../networks/hosts-file.ts';
import { containerCapabilities } from './capabilities.ts';
import { parseDeviceRule } from './devices.ts';
import { isContainerMode } from './namespaces.ts';
import { ULIMIT_NAMES } from './rlimits.ts';
import { containerSeccomp } from './security.ts';
import { checkSecurityModules, parseSecurityOpts } from './security-opts.ts';
import { validateBindings } from './validate-ports.ts';
import { wantedMounts } from './wanted-mounts.ts';

/** Stands for `host-gateway`, which is not known before a container starts. */
const ANY_ADDRESS = '0.0.0.0';

/** Checks how a container is tied to the host, but for its limits. @throws `invalid` in Docker's words. */
export function validateHostConfig(hostConfig: HostConfig, host: HostFacts): void {
  validateRestartPolicy(hostConfig);
  validateModes(hostConfig);
  validateBindings(hostConfig.PortBindings);
  for (const entry of hostConfig.ExtraHosts ?? []) parseExtraHost(entry, ANY_ADDRESS);
  validateUlimits(hostConfig.Ulimits);
  validateSysctls(hostConfig);
  const { OomScoreAdj: score, Isolation, CgroupParent } = hostConfig;
  if (score < -1000 || score > 1000) throw invalid(`Invalid value ${score}, range for oom score adj is [-1000, 1000]`);
  if (!['', 'default'].includes(Isolation)) {
    throw invalid(`Invalid isolation: "${Isolation}" - linux only supports 'default'`);
  }
  if (CgroupParent.split('/').includes('..')) throw invalid(`invalid cgroup parent: ${CgroupParent}`);
  (hostConfig.DeviceCgroupRules ?? []).forEach(parseDeviceRule);
  wantedMounts(hostConfig);
  const capabilities = containerCapabilities(hostConfig, host);
  checkSecurityModules(parseSecurityOpts(hostConfig.SecurityOpt ?? []), host);
  containerSeccomp(hostConfig, capabilities, host);
}

function validateRestartPolicy({ RestartPolicy: { Name, MaximumRetryCount: retries }, AutoRemove }: HostConfig): void {
  if (!['', 'no', 'always', 'on-failure', 'unless-stopped'].includes(Name)) {
    throw invalid(`invalid restart policy '${Name}'`);
  }
  if (Name !== 'on-failure' && retries !== 0) {
    throw invalid(`maximum retry count cannot be used with restart policy '${Name}'`);
  }
  if (retries < 0) throw invalid('maximum retry count cannot be negative');
  if (AutoRemove && Name !== '' && Name !== 'no')
    throw invalid("can't create 'AutoRemove' container with restart policy");
}

const MODES: readonly (readonly [
  field: 'IpcMode' | 'PidMode' | 'UTSMode' | 'CgroupnsMode',
  title: string,
  words: readonly string[],
])[] = [
  ['IpcMode', 'IPC', ['', 'none', 'private', 'shareable', 'host']],
  ['PidMode', 'PID', ['', 'host']],
  ['UTSMode', 'UTS', ['', 'host']],
  ['CgroupnsMode', 'cgroup namespace', ['', 'host', 'private']],
];

function validateModes(hostConfig: HostConfig): void {
  if (hostConfig.NetworkMode === 'container:') {
    throw invalid('invalid network mode: invalid container format container:<name|id>');
  }
  for (const [field, title, words] of MODES) {
    const mode = hostConfig[field];
    const joins = (field === 'IpcMode' || field === 'PidMode') && isContainerMode(mode) && mode !== 'container:';
    if (!joins && !words.includes(mode)) throw invalid(`invalid ${title} mode: ${mode}`);
  }
}

function validateUlimits(ulimits: HostConfig['Ulimits']): void {
  for (const { Name, Soft, Hard } of ulimits) {
    if (!ULIMIT_NAMES.includes(Name)) throw invalid(`invalid ulimit type: ${Name}`);
    if (Hard !== -1 && (Soft === -1 || Soft > Hard)) {
      throw invalid(`ulimit soft limit must be less than or equal to hard limit: ${Soft} > ${Hard}`);
    }
  }
}

/** Kernel settings that belong to the ipc namespace. Source: sysctl(5) of the kernel, ipc_namespaces(7). */
const IPC_SYSCTLS = [/^kernel\.(msgmax|msgmnb|msgmni|sem|shmall|shmmax|shmmni|shm_rmid_forced)$/, /^fs\.mqueue\./];

/** Only what belongs to a namespace of the container's own may be set: the rest would change the host. */
function validateSysctls({ Sysctls, NetworkMode, IpcMode, UTSMode }: HostConfig): void {
  for (const name of Object.keys(Sysctls)) {
    const ipc = IPC_SYSCTLS.some((pattern) => pattern.test(name));
    if (ipc && IpcMode === 'host') throw invalid(`sysctl "${name}" is not allowed in the hosts ipc namespace`);
    if (name.startsWith('net.') && NetworkMode === 'host') {
      throw invalid(`sysctl "${name}" not allowed in host network namespace`);
    }
    const uts = name === 'kernel.domainname';
    if (uts && UTSMode === 'host') throw invalid(`sysctl "${name}" is not allowed in the hosts UTS namespace`);
    if (!ipc && !uts && !name.startsWith('net.')) {
      throw invalid(`sysctl "${name}" is not in a separate kernel namespace`);
    }
  }
}
