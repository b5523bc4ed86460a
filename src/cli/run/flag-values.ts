import { isIP } from 'node:net';
import { bytes, integer } from '../flags/values.ts';

// Readers of the flag values of `run` and `create` that are checked while flags are read.

export function attachStream(raw: string): string {
  const stream = raw.toLowerCase();
  if (!['stdin', 'stdout', 'stderr'].includes(stream)) throw new Error('valid streams are STDIN, STDOUT and STDERR');
  return stream;
}

/** `name` or `name=value`; a bare environment name is looked up later. */
export function labelOrEnv(raw: string): string {
  if (raw === '' || raw.startsWith('=')) throw new Error(`invalid environment variable: ${raw}`);
  return raw;
}

export function dnsAddress(raw: string): string {
  const address = raw.trim();
  if (isIP(address) === 0) throw new Error(`IP address is not correctly formatted: ${raw}`);
  return address;
}

/** `host:ip` or `host=ip`, the address may be in brackets or `host-gateway`; gives `host:ip`. */
export function extraHost(raw: string): string {
  const at = raw.includes('=') ? raw.indexOf('=') : raw.indexOf(':');
  const [name, address] = at < 0 ? [raw, ''] : [raw.slice(0, at), raw.slice(at + 1).trim()];
  if (name === '' || at < 0) throw new Error(`bad format for add-host: ${JSON.stringify(raw)}`);
  const ip = /^\[.*\]$/.test(address) ? address.slice(1, -1) : address;
  if (ip !== 'host-gateway' && isIP(ip) === 0) {
    throw new Error(`invalid IP address in add-host: ${JSON.stringify(address)}`);
  }
  return `${name}:${ip}`;
}

const SYSCTLS = [
  'kernel.msgmax',
  'kernel.msgmnb',
  'kernel.msgmni',
  'kernel.sem',
  'kernel.shmall',
  'kernel.shmmax',
  'kernel.shmmni',
  'kernel.shm_rmid_forced',
];

/** `key=value`, where the key is one that namespaces hold. */
export function sysctl(raw: string): string {
  const key = raw.split('=')[0] ?? '';
  const allowed = SYSCTLS.includes(key) || key.startsWith('net.') || key.startsWith('fs.mqueue.');
  if (!raw.includes('=') || !allowed) throw new Error(`sysctl '${raw}' is not allowed`);
  return raw;
}

export interface Ulimit {
  Name: string;
  Soft: number;
  Hard: number;
}

const ULIMITS = [
  'core',
  'cpu',
  'data',
  'fsize',
  'locks',
  'memlock',
  'msgqueue',
  'nice',
  'nofile',
  'nproc',
  'rss',
  'rtprio',
  'rttime',
  'sigpending',
  'stack',
];

/** `name=soft[:hard]`. */
export function ulimit(raw: string): Ulimit {
  const at = raw.indexOf('=');
  if (at < 0) throw new Error(`invalid ulimit argument: ${raw}`);
  const [name, values] = [raw.slice(0, at), raw.slice(at + 1)];
  if (!ULIMITS.includes(name)) throw new Error(`invalid ulimit type: ${name}`);
  const [softText = '', hardText, extra] = values.split(':');
  if (extra !== undefined)
    throw new Error(`too many limit value arguments - ${values}, can only have up to two, \`soft[:hard]\``);
  const soft = integer(softText);
  const hard = hardText === undefined || hardText === '' ? soft : integer(hardText);
  if (hard !== -1 && (soft === -1 || soft > hard)) {
    throw new Error(
      soft === -1
        ? `ulimit soft limit must be less than or equal to hard limit: soft: -1 (unlimited), hard: ${hard}`
        : `ulimit soft limit must be less than or equal to hard limit: ${soft} > ${hard}`,
    );
  }
  return { Name: name, Soft: soft, Hard: hard };
}

function deviceAnd(raw: string): [string, string] {
  const at = raw.indexOf(':');
  if (at <= 0) throw new Error(`bad format: ${raw}`);
  const path = raw.slice(0, at);
  if (!path.startsWith('/dev/')) throw new Error(`bad format for device path: ${raw}`);
  return [path, raw.slice(at + 1)];
}

export function weightDevice(raw: string): { Path: string; Weight: number } {
  const [Path, value] = deviceAnd(raw);
  const Weight = /^\d+$/.test(value) ? Number(value) : -1;
  if (Weight !== 0 && (Weight < 10 || Weight > 1000)) throw new Error(`invalid weight for device: ${raw}`);
  return { Path, Weight };
}

const rateError = (raw: string, form: string) =>
  new Error(
    `invalid rate for device: ${raw}. The correct format is <device-path>:<${form}. Number must be a positive integer`,
  );

export function throttleBps(raw: string): { Path: string; Rate: number } {
  const [Path, value] = deviceAnd(raw);
  try {
    return { Path, Rate: bytes(value) };
  } catch {
    throw rateError(raw, 'number>[<unit>]');
  }
}

export function throttleIops(raw: string): { Path: string; Rate: number } {
  const [Path, value] = deviceAnd(raw);
  if (!/^\d+$/.test(value)) throw rateError(raw, 'number>');
  return { Path, Rate: Number(value) };
}
