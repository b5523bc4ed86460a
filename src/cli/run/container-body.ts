import { invalid } from '../../util/errors.ts';
import type { ParsedFlags } from '../flags/parse-flags.ts';
import { readEnv, readLabels } from './env-files.ts';
import { hostConfig } from './host-config.ts';
import type { NetworkRequest } from './network.ts';
import { parseExpose, parsePublish } from './ports.ts';
import { parseVolumes } from './volumes.ts';

/** A body for `POST /containers/create`. */
export interface ContainerBody {
  Image: string;
  Tty: boolean;
  OpenStdin: boolean;
  StdinOnce: boolean;
  AttachStdin: boolean;
  AttachStdout: boolean;
  AttachStderr: boolean;
  HostConfig: Record<string, unknown>;
  NetworkingConfig: { EndpointsConfig: Record<string, object> };
  [field: string]: unknown;
}

interface BodyOptions {
  env: Readonly<Record<string, string | undefined>>;
  /** The image's name and the command's words. */
  words: readonly string[];
}

/**
 * Turns the flags of `run` and `create` into the API's body. What an engine can or cannot do is for it to say:
 * only what docker's command line checks is checked here.
 */
export function containerBody(flags: ParsedFlags, { env, words }: BodyOptions): ContainerBody {
  const [image = '', ...command] = words;
  const ports = parsePublish(flags.list('publish'));
  const volumes = parseVolumes(flags.list('volume'));
  const attached = attachments(flags);
  const networks = flags.list<NetworkRequest>('network');
  return {
    Hostname: flags.text('hostname'),
    Domainname: flags.text('domainname'),
    User: flags.text('user'),
    ...attached,
    ExposedPorts: { ...ports.exposed, ...parseExpose(flags.list('expose')) },
    Tty: flags.bool('tty'),
    OpenStdin: flags.bool('interactive'),
    StdinOnce: flags.bool('interactive') && attached.AttachStdin,
    Env: readEnv(flags.list('env-file'), flags.list('env'), env),
    Cmd: command.length === 0 ? null : command,
    Healthcheck: healthcheck(flags),
    Image: image,
    Volumes: volumes.volumes,
    WorkingDir: flags.text('workdir'),
    Entrypoint: entrypoint(flags),
    Labels: readLabels(flags.list('label-file'), flags.list('label')),
    StopSignal: flags.text('stop-signal') || undefined,
    StopTimeout: flags.value<number>('stop-timeout'),
    MacAddress: macAddress(flags) || undefined,
    HostConfig: hostConfig(flags, ports.bindings, volumes.binds, networks),
    NetworkingConfig: { EndpointsConfig: endpoints(flags, networks) },
  };
}

function entrypoint(flags: ParsedFlags): string[] | null {
  if (!flags.given('entrypoint')) return null;
  // An empty one takes the image's entry point away.
  return [flags.text('entrypoint')];
}

function attachments(flags: ParsedFlags): Pick<ContainerBody, 'AttachStdin' | 'AttachStdout' | 'AttachStderr'> {
  const streams = flags.list('attach');
  if (streams.length > 0) {
    return {
      AttachStdin: streams.includes('stdin'),
      AttachStdout: streams.includes('stdout'),
      AttachStderr: streams.includes('stderr'),
    };
  }
  return { AttachStdin: flags.bool('interactive'), AttachStdout: true, AttachStderr: true };
}

function macAddress(flags: ParsedFlags): string {
  const mac = flags.text('mac-address').trim();
  if (mac !== '' && !/^[0-9a-f]{2}([:-][0-9a-f]{2}){5}$/i.test(mac)) throw invalid(`${mac} is not a valid mac address`);
  return mac;
}

function healthcheck(flags: ParsedFlags): object | undefined {
  const command = flags.text('health-cmd');
  const names = ['health-interval', 'health-timeout', 'health-start-period', 'health-start-interval', 'health-retries'];
  const changed = command !== '' || names.some((name) => flags.given(name));
  if (flags.bool('no-healthcheck')) {
    if (changed) throw invalid('--no-healthcheck conflicts with --health-* options');
    return { Test: ['NONE'] };
  }
  if (!changed) return undefined;
  const span = (name: string) => {
    const value = flags.value<number>(name) ?? 0;
    if (value < 0) throw invalid(`--${name} cannot be negative`);
    return value;
  };
  return {
    Test: command === '' ? null : ['CMD-SHELL', command],
    Interval: span('health-interval'),
    Timeout: span('health-timeout'),
    StartPeriod: span('health-start-period'),
    StartInterval: span('health-start-interval'),
    Retries: span('health-retries'),
  };
}

const PREDEFINED = ['', 'default', 'host', 'none', 'bridge'];

function endpoints(flags: ParsedFlags, networks: readonly NetworkRequest[]): Record<string, object> {
  const all =
    networks.length === 0
      ? [{ target: 'default', aliases: [], driverOpts: {}, linkLocalIps: [], advanced: false }]
      : networks;
  const result: Record<string, object> = {};
  for (const [at, network] of all.entries()) {
    const endpoint = endpointOf(flags, network, at === 0);
    // The plain default network needs no entry of its own; old engines refuse one for some modes.
    if (Object.keys(endpoint).length === 0 && all.length === 1 && PREDEFINED.includes(network.target)) continue;
    if (network.target.startsWith('container:')) continue;
    if (result[network.target] !== undefined) throw invalid(`network "${network.target}" is specified multiple times`);
    result[network.target] = endpoint;
  }
  return result;
}

function endpointOf(flags: ParsedFlags, network: NetworkRequest, first: boolean): object {
  const own = <T>(name: string, field: T | undefined): T | undefined => {
    if (!first || !flags.given(name)) return field;
    if (field !== undefined)
      throw invalid(
        `conflicting options: cannot specify both --${name} and per-network ${name.replace('network-', '')}`,
      );
    return flags.value<T>(name);
  };
  const mac = own('mac-address', network.mac);
  const ipv4 = own('ip', network.ipv4);
  const ipv6 = own('ip6', network.ipv6);
  const aliases = [...network.aliases, ...(first ? flags.list('network-alias') : [])];
  const linkLocal = [...network.linkLocalIps, ...(first ? flags.list('link-local-ip') : [])];
  const links = first && !PREDEFINED.includes(network.target) ? flags.list('link') : [];
  const addressed = ipv4 !== undefined || ipv6 !== undefined || linkLocal.length > 0;
  return {
    ...(addressed ? { IPAMConfig: { IPv4Address: ipv4, IPv6Address: ipv6, LinkLocalIPs: linkLocal } } : {}),
    ...(links.length > 0 ? { Links: links } : {}),
    ...(aliases.length > 0 ? { Aliases: aliases } : {}),
    ...(mac === undefined ? {} : { MacAddress: mac }),
    ...(Object.keys(network.driverOpts).length > 0 ? { DriverOpts: network.driverOpts } : {}),
    ...(network.gwPriority === undefined ? {} : { GwPriority: network.gwPriority }),
  };
}
