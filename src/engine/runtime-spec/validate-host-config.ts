import type { HostFacts } from '../../kernel/host/host-facts.ts';
import type { HostConfig, Ulimit } from '../../spec/container.ts';
import { invalid } from '../../util/errors.ts';
import { parseExtraHost } from '../networks/hosts-file.ts';
import { containerCapabilities } from './capabilities.ts';
import { parseDeviceRule } from './devices.ts';
import { ULIMIT_NAMES, unsigned } from './rlimits.ts';
import { containerSeccomp } from './security.ts';
import { checkSecurityModules, parseSecurityOpts } from './security-opts.ts';
import { validateModes } from './validate-modes.ts';
import { validateBindings } from './validate-ports.ts';
import { validateSysctls } from './validate-sysctls.ts';
import { parseVolumesFrom } from './volumes-from.ts';
import { wantedMounts } from './wanted-mounts.ts';

/** Stands for `host-gateway`, which is not known before a container starts. */
const ANY_ADDRESS = '0.0.0.0';

/** Checks how a container is tied to the host, but for its limits. @throws `invalid` in Docker's words. */
export function validateHostConfig(hostConfig: HostConfig, host: HostFacts): void {
  validateRestartPolicy(hostConfig);
  validateModes(hostConfig);
  validateBindings(hostConfig.PortBindings);
  for (const entry of hostConfig.ExtraHosts ?? []) parseExtraHost(entry, ANY_ADDRESS);
  validateUlimits(hostConfig.Ulimits ?? []);
  validateSysctls(hostConfig);
  const { OomScoreAdj: score, Isolation, CgroupParent } = hostConfig;
  if (score < -1000 || score > 1000) throw invalid(`Invalid value ${score}, range for oom score adj is [-1000, 1000]`);
  if (!['', 'default'].includes(Isolation.toLowerCase())) {
    throw invalid(`Invalid isolation: "${Isolation}" - linux only supports 'default'`);
  }
  if (CgroupParent.split('/').includes('..')) throw invalid(`invalid cgroup parent: ${CgroupParent}`);
  if ('' in hostConfig.Annotations) {
    throw invalid('invalid Annotations: the empty string is not permitted as an annotation key');
  }
  validateStorageOpt(hostConfig.StorageOpt);
  (hostConfig.DeviceCgroupRules ?? []).forEach(parseDeviceRule);
  (hostConfig.VolumesFrom ?? []).forEach(parseVolumesFrom);
  wantedMounts(hostConfig);
  const capabilities = containerCapabilities(hostConfig, host);
  checkSecurityModules(parseSecurityOpts(hostConfig.SecurityOpt ?? []), host);
  containerSeccomp(hostConfig, capabilities, host);
}

/** A number of retries without a policy is let pass, as old clients send it. @throws `invalid` in Docker's words. */
export function validateRestartPolicy({
  RestartPolicy: { Name, MaximumRetryCount: retries },
  AutoRemove,
}: Pick<HostConfig, 'RestartPolicy' | 'AutoRemove'>): void {
  if (Name === '') return;
  if (AutoRemove && Name !== 'no') throw invalid("can't create 'AutoRemove' container with restart policy");
  if (!['no', 'always', 'on-failure', 'unless-stopped'].includes(Name)) {
    throw invalid(`invalid restart policy '${Name}'`);
  }
  if (Name !== 'on-failure' && retries !== 0) {
    throw invalid(`maximum retry count cannot be used with restart policy '${Name}'`);
  }
  if (retries < 0) throw invalid('maximum retry count cannot be negative');
}

/** A quota takes project quotas of the file system below the layers, which this engine does not set. */
function validateStorageOpt(options: HostConfig['StorageOpt']): void {
  const [name] = Object.keys(options);
  if (name === undefined) return;
  if (name.toLowerCase() !== 'size') throw invalid(`Unknown option ${name}`);
  throw invalid("--storage-opt is supported only for overlay over xfs with 'pquota' mount option");
}

function validateUlimits(ulimits: readonly Ulimit[]): void {
  for (const { Name, Soft, Hard } of ulimits) {
    if (!ULIMIT_NAMES.includes(Name.toLowerCase())) throw invalid(`invalid ulimit type: ${Name}`);
    if (unsigned(Soft) > unsigned(Hard)) {
      throw invalid(`ulimit soft limit must be less than or equal to hard limit: ${Soft} > ${Hard}`);
    }
  }
}
