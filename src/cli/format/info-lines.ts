import { goPrint } from '../../util/template/go-print.ts';
import { bytesSize } from './units.ts';

type Info = Readonly<Record<string, unknown>>;

const textOf = (info: Info, key: string) => goPrint(info[key] ?? '');
const mapOf = (value: unknown) => (value ?? {}) as Record<string, unknown>;
const listOf = (value: unknown) => (value ?? []) as unknown[];
const when = (condition: unknown, ...lines: string[]) => (condition ? lines : []);

/** The server's half of `info`. Values an engine does not report are left out, as docker does. */
export function infoLines(info: Info): string[] {
  return [
    ` Containers: ${textOf(info, 'Containers')}`,
    `  Running: ${textOf(info, 'ContainersRunning')}`,
    `  Paused: ${textOf(info, 'ContainersPaused')}`,
    `  Stopped: ${textOf(info, 'ContainersStopped')}`,
    ` Images: ${textOf(info, 'Images')}`,
    ...when(info['ServerVersion'], ` Server Version: ${textOf(info, 'ServerVersion')}`),
    ...when(info['Driver'], ` Storage Driver: ${textOf(info, 'Driver')}`),
    ...statusLines(info['DriverStatus']),
    ...when(info['LoggingDriver'], ` Logging Driver: ${textOf(info, 'LoggingDriver')}`),
    ...when(info['CgroupDriver'], ` Cgroup Driver: ${textOf(info, 'CgroupDriver')}`),
    ...when(info['CgroupVersion'], ` Cgroup Version: ${textOf(info, 'CgroupVersion')}`),
    ...pluginLines(mapOf(info['Plugins'])),
    ...when(
      listOf(info['CDISpecDirs']).length,
      ' CDI spec directories:',
      ...listOf(info['CDISpecDirs']).map((dir) => `  ${goPrint(dir)}`),
    ),
    ` Swarm: ${goPrint(mapOf(info['Swarm'])['LocalNodeState'] ?? 'inactive')}`,
    ...runtimeLines(info),
    ...securityLines(info),
    ...hostLines(info),
    ...proxyLines(info),
    ...engineLines(info),
  ];
}

const statusLines = (status: unknown) => listOf(status).map((pair) => `  ${listOf(pair).map(goPrint).join(': ')}`);

function pluginLines(plugins: Record<string, unknown>): string[] {
  const of = (kind: string) => listOf(plugins[kind]).join(' ');
  return [
    ' Plugins:',
    `  Volume: ${of('Volume')}`,
    `  Network: ${of('Network')}`,
    ...when(listOf(plugins['Authorization']).length, `  Authorization: ${of('Authorization')}`),
    `  Log: ${of('Log')}`,
  ];
}

function commitOf(info: Info, key: string): string {
  return goPrint(mapOf(info[key])['ID'] ?? '');
}

function runtimeLines(info: Info): string[] {
  const runtimes = Object.keys(mapOf(info['Runtimes'])).sort();
  return [
    ...when(runtimes.length, ` Runtimes: ${runtimes.join(' ')}`, ` Default Runtime: ${textOf(info, 'DefaultRuntime')}`),
    ` Init Binary: ${textOf(info, 'InitBinary')}`,
    ` containerd version: ${commitOf(info, 'ContainerdCommit')}`,
    ` runc version: ${commitOf(info, 'RuncCommit')}`,
    ` init version: ${commitOf(info, 'InitCommit')}`,
  ];
}

function securityLines(info: Info): string[] {
  const options = listOf(info['SecurityOptions']).map(String);
  if (options.length === 0) return [];
  const lines = options.flatMap((option) => {
    const pairs = option.split(',').map((pair) => pair.split(/=(.*)/s));
    const name = pairs.find(([key]) => key === 'name')?.[1] ?? option;
    const others = pairs
      .filter(([key]) => key !== 'name')
      .map(([key = '', value]) => `   ${key.charAt(0).toUpperCase()}${key.slice(1)}: ${value}`);
    return [`  ${name}`, ...others];
  });
  return [' Security Options:', ...lines];
}

function hostLines(info: Info): string[] {
  return [
    ` Kernel Version: ${textOf(info, 'KernelVersion')}`,
    ` Operating System: ${textOf(info, 'OperatingSystem')}`,
    ` OSType: ${textOf(info, 'OSType')}`,
    ` Architecture: ${textOf(info, 'Architecture')}`,
    ` CPUs: ${textOf(info, 'NCPU')}`,
    ` Total Memory: ${bytesSize(Number(info['MemTotal'] ?? 0))}`,
    ` Name: ${textOf(info, 'Name')}`,
    ` ID: ${textOf(info, 'ID')}`,
    ` Docker Root Dir: ${textOf(info, 'DockerRootDir')}`,
    ` Debug Mode: ${info['Debug'] === true}`,
    ...when(
      info['Debug'],
      `  File Descriptors: ${textOf(info, 'NFd')}`,
      `  Goroutines: ${textOf(info, 'NGoroutines')}`,
    ),
  ];
}

function proxyLines(info: Info): string[] {
  return [
    ...when(info['HttpProxy'], ` HTTP Proxy: ${textOf(info, 'HttpProxy')}`),
    ...when(info['HttpsProxy'], ` HTTPS Proxy: ${textOf(info, 'HttpsProxy')}`),
    ...when(info['NoProxy'], ` No Proxy: ${textOf(info, 'NoProxy')}`),
  ];
}

function engineLines(info: Info): string[] {
  const labels = listOf(info['Labels']);
  const registries = mapOf(info['RegistryConfig']);
  const insecure = Object.entries(mapOf(registries['IndexConfigs']))
    .filter(([, config]) => mapOf(config)['Secure'] === false)
    .map(([name]) => `  ${name}`);
  const ranges = listOf(registries['InsecureRegistryCIDRs']).map((range) => `  ${goPrint(range)}`);
  const mirrors = listOf(registries['Mirrors']).map((mirror) => `  ${goPrint(mirror)}`);
  return [
    ...when(labels.length, ' Labels:', ...labels.map((label) => `  ${goPrint(label)}`)),
    ` Experimental: ${info['ExperimentalBuild'] === true}`,
    ...when(insecure.length + ranges.length, ' Insecure Registries:', ...insecure, ...ranges),
    ...when(mirrors.length, ' Registry Mirrors:', ...mirrors),
    ` Live Restore Enabled: ${info['LiveRestoreEnabled'] === true}`,
    ...when(info['ProductLicense'], ` Product License: ${textOf(info, 'ProductLicense')}`),
  ];
}

/** What the engine warns about, one line each, for standard error. */
export function infoWarnings(info: Info): string {
  return listOf(info['Warnings'])
    .map((warning) => `${goPrint(warning)}\n`)
    .join('');
}
