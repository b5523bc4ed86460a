import type { ContainerStatus } from '../../engine/containers/model.ts';
import type { SystemFacts } from '../../engine/engine.ts';
import { LOG_DRIVERS } from '../../engine/logs/log-config.ts';
import { versionNumber } from './version.ts';

/** What the daemon counts besides the facts. */
export interface InfoCounts {
  statuses: readonly ContainerStatus[];
  images: number;
  volumeDrivers: readonly string[];
  now: Date;
}

const MACHINE: Record<string, string> = { x64: 'x86_64', amd64: 'x86_64', arm64: 'aarch64' };

function containerCounts(statuses: readonly ContainerStatus[]) {
  const running = statuses.filter((s) => s === 'running').length;
  const paused = statuses.filter((s) => s === 'paused').length;
  return {
    Containers: statuses.length,
    ContainersRunning: running,
    ContainersPaused: paused,
    ContainersStopped: statuses.length - running - paused,
  };
}

function limits({ limits: l }: SystemFacts, api: number) {
  return {
    MemoryLimit: l.memory,
    SwapLimit: l.swap,
    ...(api < 42 ? { KernelMemory: false, KernelMemoryTCP: false } : {}),
    CpuCfsPeriod: l.cpuCfsPeriod,
    CpuCfsQuota: l.cpuCfsQuota,
    CPUShares: l.cpuShares,
    CPUSet: l.cpuset,
    PidsLimit: l.pids,
    OomKillDisable: l.oomKillDisable,
  };
}

function host(facts: SystemFacts, now: Date, api: number) {
  return {
    IPv4Forwarding: facts.ipv4Forwarding,
    ...(api < 50 ? { BridgeNfIptables: facts.bridgeNf.iptables, BridgeNfIp6tables: facts.bridgeNf.ip6tables } : {}),
    Debug: facts.debug,
    NFd: facts.openFiles,
    // There are none: this is no Go program.
    NGoroutines: 0,
    SystemTime: now.toISOString(),
    LoggingDriver: facts.loggingDriver,
    CgroupDriver: facts.cgroupDriver,
    CgroupVersion: facts.cgroupVersion,
    NEventsListener: facts.eventsListeners,
    KernelVersion: facts.kernelVersion,
    OperatingSystem: facts.operatingSystem,
    OSVersion: facts.osVersion,
    OSType: 'linux',
    Architecture: MACHINE[facts.arch] ?? facts.arch,
    NCPU: facts.cpus,
    MemTotal: facts.memory,
    DockerRootDir: facts.dataRoot,
    HttpProxy: facts.proxies.http,
    HttpsProxy: facts.proxies.https,
    NoProxy: facts.proxies.no,
    Name: facts.name,
    Labels: facts.labels,
  };
}

const NO_SWARM = {
  NodeID: '',
  NodeAddr: '',
  LocalNodeState: 'inactive',
  ControlAvailable: false,
  Error: '',
  RemoteManagers: null,
};

const INDEX = 'https://index.docker.io/v1/';

/** Mirrors end in a slash, whether or not they were configured with one. */
function registryConfig({ mirrors: configured, insecure }: SystemFacts['registries'], api: number) {
  const mirrors = configured.map((mirror) => (mirror.endsWith('/') ? mirror : `${mirror}/`));
  const index = (name: string, secure: boolean) => ({
    Name: name,
    Mirrors: name === 'docker.io' ? mirrors : [],
    Secure: secure,
    Official: name === 'docker.io',
  });
  const hosts = insecure.filter((one) => !one.includes('/'));
  return {
    ...(api < 47 ? { AllowNondistributableArtifactsCIDRs: [], AllowNondistributableArtifactsHostnames: [] } : {}),
    InsecureRegistryCIDRs: [...insecure.filter((one) => one.includes('/')), '127.0.0.0/8'],
    IndexConfigs: Object.fromEntries(
      [index('docker.io', true), ...hosts.map((one) => index(one, false))].map((entry) => [entry.Name, entry]),
    ),
    Mirrors: mirrors,
  };
}

const commit = (printed: string, api: number) => {
  const id = printed === '' ? 'N/A' : versionNumber(printed);
  return { ID: id, ...(api < 49 ? { Expected: id } : {}) };
};

/** Up to 1.24 they were bare names, and an execution driver was told. */
function securityOptions(options: readonly string[], api: number) {
  if (api > 24) return { SecurityOptions: options };
  const names = options.map((option) => /name=([^,]+)/.exec(option)?.[1] ?? option);
  return { SecurityOptions: names, ExecutionDriver: '<not supported>' };
}

function cdi({ cdiSpecDirs, cdiDevices }: SystemFacts, api: number) {
  if (api < 44) return {};
  const discovered = api >= 50 && cdiDevices.length > 0;
  return {
    CDISpecDirs: cdiSpecDirs,
    ...(discovered ? { DiscoveredDevices: cdiDevices.map((ID) => ({ Source: 'cdi', ID })) } : {}),
  };
}

/** `GET /info`. */
export function infoShape(facts: SystemFacts, counts: InfoCounts, api: number) {
  return {
    ID: facts.id,
    ...containerCounts(counts.statuses),
    Images: counts.images,
    Driver: facts.storage.driver,
    DriverStatus: [['Backing Filesystem', facts.storage.backingFilesystem]],
    Plugins: {
      Volume: counts.volumeDrivers,
      Network: ['bridge', 'host', 'null'],
      Authorization: null,
      Log: LOG_DRIVERS,
    },
    ...limits(facts, api),
    ...host(facts, counts.now, api),
    IndexServerAddress: INDEX,
    RegistryConfig: registryConfig(facts.registries, api),
    GenericResources: null,
    ExperimentalBuild: false,
    ServerVersion: facts.version,
    Runtimes: facts.runtimes,
    DefaultRuntime: facts.defaultRuntime,
    Swarm: NO_SWARM,
    LiveRestoreEnabled: true,
    Isolation: '',
    InitBinary: facts.initBinary,
    ContainerdCommit: commit(facts.tools.containerd, api),
    RuncCommit: commit(facts.tools.runc, api),
    InitCommit: commit(facts.tools.init, api),
    ...cdi(facts, api),
    ...(api >= 49 ? { FirewallBackend: { Driver: 'nftables' } } : {}),
    ...securityOptions(facts.securityOptions, api),
    Warnings: facts.warnings.length === 0 ? null : facts.warnings,
  };
}
