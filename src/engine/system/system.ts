import { readdir, readFile, statfs } from 'node:fs/promises';
import { hostname } from 'node:os';
import type { HostFacts } from '../../kernel/host/host-facts.ts';
import type { RuntimeBinary } from '../../kernel/shim/shim-pool.ts';
import { type Log, silentLog } from '../../util/log.ts';
import { readCdiDevices } from '../devices/cdi-files.ts';
import type { Events, System, SystemFacts } from '../engine.ts';
import type { SpecDefaults } from '../runtime-spec/spec-defaults.ts';
import { reloadAttributes } from './reload-attributes.ts';
import { readToolVersions, type ToolVersions } from './tool-versions.ts';

/** The settings that can change while the daemon runs. */
export interface ChangeableConfig {
  readonly debug: boolean;
  readonly logLevel: string;
  readonly registries: SystemFacts['registries'];
  readonly maxConcurrentDownloads: number;
  readonly maxConcurrentUploads: number;
  /** Bytes. */
  readonly defaultShmSize: number;
  readonly defaultIpcMode: string;
  /** Seconds; undefined: a container's own time. */
  readonly shutdownTimeout: number | undefined;
}

/** What of the daemon's configuration the system tells of. */
export interface SystemConfig extends ChangeableConfig {
  readonly dataRoot: string;
  readonly cdiSpecDirs: readonly string[];
  /** `builtin`, `unconfined` or the file of a profile. */
  readonly seccompProfile: string;
  /** Empty: containers have the ids of the host. */
  readonly usernsRemap: string;
  readonly specDefaults: Pick<SpecDefaults, 'noNewPrivileges'>;
}

export interface SystemOptions {
  /** The engine's own id. */
  id: string;
  /** This program's version. */
  version: string;
  config: SystemConfig;
  /** The log driver of containers that name none. */
  loggingDriver: string;
  host: HostFacts;
  runtimes: { byName: ReadonlyMap<string, RuntimeBinary>; defaultName: string };
  events: Pick<Events, 'emit'> & { readonly listeners: number };
  log?: Log;
}

/** `System`, which a reload of the configuration reaches. */
export interface OpenSystem extends System {
  /** Takes over the settings and tells them, as dockerd's event `daemon reload`. */
  reloaded(config: ChangeableConfig): void;
}

/** Opens the source of facts. What cannot change while the daemon runs is read once, the rest at each call. */
export function openSystem(options: SystemOptions): OpenSystem {
  const log = options.log ?? silentLog();
  let current: ChangeableConfig = options.config;
  let tools: Promise<ToolVersions> | undefined;
  return {
    reloaded: (again) => {
      current = again;
      const actor = { id: options.id, attributes: reloadAttributes(current, options.runtimes) };
      options.events.emit({ type: 'daemon', action: 'reload', actor });
    },
    facts: async () => {
      const config = { ...options.config, debug: current.debug, registries: current.registries };
      tools ??= readToolVersions(options.host.initBinary);
      const [versions, filesystem, forwarding, iptables, ip6tables, openFiles, cdi] = await Promise.all([
        tools,
        filesystemOf(config.dataRoot, log),
        isOn('/proc/sys/net/ipv4/ip_forward'),
        isOn('/proc/sys/net/bridge/bridge-nf-call-iptables'),
        isOn('/proc/sys/net/bridge/bridge-nf-call-ip6tables'),
        readdir('/proc/self/fd').then((names) => names.length),
        readCdiDevices(config.cdiSpecDirs),
      ]);
      return collect(options, config, {
        versions,
        filesystem,
        forwarding,
        bridgeNf: { iptables, ip6tables },
        openFiles,
        cdiDevices: [...cdi.byName.keys()].sort(),
      });
    },
  };
}

interface Readings {
  versions: ToolVersions;
  filesystem: string;
  forwarding: boolean;
  bridgeNf: SystemFacts['bridgeNf'];
  openFiles: number;
  cdiDevices: readonly string[];
}

function collect(options: SystemOptions, config: SystemConfig, readings: Readings): SystemFacts {
  const { host, runtimes } = options;
  return {
    id: options.id,
    name: hostname(),
    version: options.version,
    dataRoot: config.dataRoot,
    kernelVersion: host.kernel.release,
    operatingSystem: host.os.name,
    osVersion: host.os.version,
    arch: host.arch,
    cpus: host.cpus,
    memory: host.memory,
    cgroupVersion: host.cgroup.version === 2 ? '2' : '1',
    cgroupDriver: host.cgroup.driver,
    limits: limitsOf(host),
    storage: { driver: 'overlay2', backingFilesystem: readings.filesystem },
    loggingDriver: options.loggingDriver,
    runtimes: Object.fromEntries([...runtimes.byName].map(([name, { binary }]) => [name, { path: binary }])),
    defaultRuntime: runtimes.defaultName,
    tools: readings.versions,
    initBinary: host.initBinary,
    securityOptions: securityOptions(host, config),
    ipv4Forwarding: readings.forwarding,
    bridgeNf: readings.bridgeNf,
    debug: config.debug,
    openFiles: readings.openFiles,
    eventsListeners: options.events.listeners,
    labels: [],
    registries: config.registries,
    cdiSpecDirs: config.cdiSpecDirs,
    cdiDevices: readings.cdiDevices,
    warnings: [...warningsOf(host, readings.forwarding), ...seccompWarning(host, config)],
    proxies: proxies(process.env),
  };
}

function limitsOf({ limits }: HostFacts): SystemFacts['limits'] {
  const { memory, swap, oomKillDisable, cpuCfsPeriod, cpuCfsQuota, cpuShares, cpuset, pids } = limits;
  return { memory, swap, oomKillDisable, cpuCfsPeriod, cpuCfsQuota, cpuShares, cpuset, pids };
}

/** In the form and order of `docker info`; only what containers really get. */
function securityOptions({ seccomp, apparmor, cgroup }: HostFacts, config: SystemConfig): string[] {
  const options: [boolean, string][] = [
    [apparmor, 'name=apparmor'],
    [seccomp, `name=seccomp,profile=${config.seccompProfile}`],
    [config.usernsRemap !== '', 'name=userns'],
    [cgroup.version === 2, 'name=cgroupns'],
    [config.specDefaults.noNewPrivileges, 'name=no-new-privileges'],
  ];
  return options.filter(([there]) => there).map(([, text]) => text);
}

function seccompWarning({ seccomp }: HostFacts, { seccompProfile }: SystemConfig): string[] {
  if (!seccomp || seccompProfile === 'builtin') return [];
  return ['WARNING: daemon is not using the default seccomp profile'];
}

/** What an operator should know, in dockerd's words. */
export function warningsOf({ limits, cgroup }: Pick<HostFacts, 'limits' | 'cgroup'>, forwarding: boolean): string[] {
  const missing: [boolean, string][] = [
    [limits.memory, 'No memory limit support'],
    [limits.swap, 'No swap limit support'],
    // Version 2 has no such switch: nothing is missing there.
    [limits.oomKillDisable || cgroup.version === 2, 'No oom kill disable support'],
    [limits.cpuCfsQuota, 'No cpu cfs quota support'],
    [limits.cpuCfsPeriod, 'No cpu cfs period support'],
    [limits.cpuShares, 'No cpu shares support'],
    [limits.cpuset, 'No cpuset support'],
    ...blockIoWarnings(limits, cgroup.version),
    [forwarding, 'IPv4 forwarding is disabled'],
  ];
  return missing.filter(([there]) => !there).map(([, text]) => `WARNING: ${text}`);
}

/** Version 1 has had no weights since Linux 5.0, about which nobody can do anything. */
function blockIoWarnings(limits: HostFacts['limits'], version: 1 | 2): [boolean, string][] {
  const throttles =
    version === 1
      ? ['read_bps', 'write_bps', 'read_iops', 'write_iops'].map((what) => `No blkio throttle.${what}_device support`)
      : ['rbps', 'wbps', 'riops', 'wiops'].map((what) => `No io.max (${what}) support`);
  return [
    [limits.blkioWeight || version === 1, 'No io.weight support'],
    [limits.blkioWeightDevice || version === 1, 'No io.weight (per device) support'],
    ...throttles.map((text): [boolean, string] => [limits.blkioThrottle, text]),
  ];
}

/** Whether a switch of the kernel is on; one that this kernel does not have is off. */
async function isOn(path: string): Promise<boolean> {
  const text = await readFile(path, 'utf8').catch(() => '0');
  return text.trim() === '1';
}

/** Names that dockerd gives file systems, by their magic number in statfs(2). */
const FILESYSTEMS: ReadonlyMap<number, string> = new Map([
  [0xef53, 'extfs'],
  [0x58465342, 'xfs'],
  [0x9123683e, 'btrfs'],
  [0x01021994, 'tmpfs'],
  [0x794c7630, 'overlayfs'],
  [0x2fc12fc1, 'zfs'],
  [0xf2f52010, 'f2fs'],
  [0x6969, 'nfs'],
]);

async function filesystemOf(path: string, log: Log): Promise<string> {
  try {
    const { type } = await statfs(path);
    return FILESYSTEMS.get(type) ?? '<unknown>';
  } catch (error) {
    log.warn('the file system of the data root cannot be told', { path, error });
    return '<unknown>';
  }
}

/** The proxies that the daemon itself was given, without their passwords. */
export function proxies(env: NodeJS.ProcessEnv): SystemFacts['proxies'] {
  const of = (name: string) => withoutPassword(env[name.toUpperCase()] || env[name] || '');
  return { http: of('http_proxy'), https: of('https_proxy'), no: env['NO_PROXY'] || env['no_proxy'] || '' };
}

function withoutPassword(url: string): string {
  return url.replace(/^(\w+:\/\/)[^/@]*@/, '$1xxxxx:xxxxx@');
}
