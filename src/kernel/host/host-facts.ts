import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { availableParallelism, arch as nodeArch, totalmem } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { APPARMOR_PROFILE } from './apparmor.ts';
import { capabilitiesOf } from './capability-names.ts';
import { type CgroupFacts, probeCgroups, readHostFile } from './cgroup-facts.ts';
import { findProgram } from './find-program.ts';
import { type DeviceLookup, lookupDevices } from './host-devices.ts';
import { type LimitFacts, probeLimits } from './limit-facts.ts';
import { type Propagation, propagationAt } from './propagation.ts';

/** What the engine needs to know of the machine; read once, at its start, except for the functions. */
export interface HostFacts {
  /** As `uname -r` prints it, and its first two numbers. */
  readonly kernel: { readonly release: string; readonly major: number; readonly minor: number };
  /** By its name in images (GOARCH). */
  readonly arch: string;
  /** The kernel runs programs of the x32 ABI, or does not tell. */
  readonly x32: boolean;
  /** From os-release; the name as in `Debian GNU/Linux 12 (bookworm)`. */
  readonly os: { readonly name: string; readonly version: string };
  /** Processors online. */
  readonly cpus: number;
  /** Bytes. */
  readonly memory: number;
  readonly cgroup: CgroupFacts;
  readonly limits: LimitFacts;
  readonly seccomp: boolean;
  readonly apparmor: boolean;
  readonly selinux: boolean;
  /** The AppArmor profile that confines containers; empty when there is none. */
  readonly apparmorProfile: string;
  /** Capabilities the engine itself holds and so can hand out, as in `CAP_CHOWN`, by number. */
  readonly capabilities: readonly string[];
  /** The engine's own hard resource limits by name as in `nofile`, and its OOM score adjustment: without CAP_SYS_RESOURCE nothing above, or below, can be set. */
  readonly hardLimits: Readonly<Record<string, number>>;
  readonly oomScoreAdj: number;
  /** Directories with counters of the processor's temperature, to be hidden from containers. */
  readonly thermalPaths: readonly string[];
  /** tini, for `--init`; empty when it is not installed. */
  readonly initBinary: string;
  /** The device node at a path of the host, or every one below a directory, as it is now. */
  devicesAt(path: string): DeviceLookup;
  /** Propagation of the mount that a host path is on, as it is now. @throws when the path does not exist. */
  propagationAt(path: string): Propagation;
}

const GOARCH: Readonly<Record<string, string>> = { x64: 'amd64', ia32: '386', ppc64: 'ppc64le', mipsel: 'mipsle' };
/** Statically linked ones only: it runs in the container's file system. */
const INIT_NAMES = ['docker-init', 'tini-static'];
const CPU_DIR = '/sys/devices/system/cpu';

/** True when the kernel's build configuration is there to be read and says so. */
function lacksX32(): boolean {
  const release = (readHostFile('/proc/sys/kernel/osrelease') ?? '').trim();
  const config = readKernelConfig('/proc/config.gz') ?? readHostFile(`/boot/config-${release}`);
  return config?.includes('# CONFIG_X86_X32_ABI is not set') === true;
}

function readKernelConfig(path: string): string | undefined {
  return existsSync(path) ? gunzipSync(readFileSync(path)).toString('latin1') : undefined;
}

/** Reads the facts of this machine. */
export async function probeHost(): Promise<HostFacts> {
  const cgroup = probeCgroups();
  const status = readHostFile('/proc/self/status') ?? '';
  // As for dockerd a host without the parser has no AppArmor: no profile could be loaded.
  const enabled = readHostFile('/sys/module/apparmor/parameters/enabled')?.startsWith('Y') === true;
  const apparmor = enabled && findProgram('apparmor_parser') !== '';
  const modules = (readHostFile('/sys/kernel/security/lsm') ?? '').trim().split(',');
  return {
    kernel: kernelOf((readHostFile('/proc/sys/kernel/osrelease') ?? '').trim()),
    arch: GOARCH[nodeArch()] ?? nodeArch(),
    x32: !lacksX32(),
    os: osOf(readHostFile('/etc/os-release') ?? readHostFile('/usr/lib/os-release') ?? ''),
    cpus: availableParallelism(),
    memory: totalmem(),
    cgroup,
    limits: probeLimits(cgroup, existsSync, /^0::(.*)$/m.exec(readHostFile('/proc/self/cgroup') ?? '')?.[1]),
    seccomp: /^Seccomp:/m.test(status),
    apparmor,
    apparmorProfile: apparmor ? APPARMOR_PROFILE : '',
    selinux: modules.includes('selinux') && existsSync('/sys/fs/selinux/enforce'),
    capabilities: capabilitiesOf(/^CapBnd:\s*([0-9a-f]+)$/m.exec(status)?.[1] ?? '0'),
    hardLimits: hardLimitsOf(readHostFile('/proc/self/limits') ?? ''),
    oomScoreAdj: Number(readHostFile('/proc/self/oom_score_adj') ?? '0'),
    thermalPaths: thermalPaths(),
    initBinary: findProgram(...INIT_NAMES),
    devicesAt: lookupDevices,
    propagationAt,
  };
}

/** `6.1.0-30-amd64` taken apart. */
export function kernelOf(release: string): HostFacts['kernel'] {
  const [, major = '0', minor = '0'] = /^(\d+)\.(\d+)/.exec(release) ?? [];
  return { release, major: Number(major), minor: Number(minor) };
}

/** Name and version out of os-release(5). */
export function osOf(text: string): HostFacts['os'] {
  const value = (key: string): string =>
    new RegExp(`^${key}=(?:"([^"]*)"|'([^']*)'|(.*))$`, 'm')
      .exec(text)
      ?.slice(1)
      .find((one) => one !== undefined) ?? '';
  return { name: value('PRETTY_NAME') || 'Linux', version: value('VERSION_ID') };
}

/** Lines of `/proc/<pid>/limits` by the names that `--ulimit` takes; the number is infinite where the kernel says so. */
export function hardLimitsOf(text: string): Record<string, number> {
  const limits: Record<string, number> = {};
  for (const [name, title] of Object.entries(LIMIT_TITLES)) {
    const [, hard] = new RegExp(`^${title}\\s+\\S+\\s+(\\S+)`, 'm').exec(text) ?? [];
    if (hard !== undefined) limits[name] = hard === 'unlimited' ? Number.POSITIVE_INFINITY : Number(hard);
  }
  return limits;
}

const LIMIT_TITLES: Readonly<Record<string, string>> = {
  cpu: 'Max cpu time',
  fsize: 'Max file size',
  data: 'Max data size',
  stack: 'Max stack size',
  core: 'Max core file size',
  rss: 'Max resident set',
  nproc: 'Max processes',
  nofile: 'Max open files',
  memlock: 'Max locked memory',
  as: 'Max address space',
  locks: 'Max file locks',
  sigpending: 'Max pending signals',
  msgqueue: 'Max msgqueue size',
  nice: 'Max nice priority',
  rtprio: 'Max realtime priority',
  rttime: 'Max realtime timeout',
};

function thermalPaths(): string[] {
  if (!existsSync(CPU_DIR)) return [];
  const cpus = readdirSync(CPU_DIR).filter((name) => /^cpu\d+$/.test(name));
  return cpus.map((name) => join(CPU_DIR, name, 'thermal_throttle')).filter((path) => existsSync(path));
}
