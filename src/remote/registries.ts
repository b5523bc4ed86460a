import { readFile } from 'node:fs/promises';
import { isIP } from 'node:net';
import { join } from 'node:path';
import { hasCode, invalid } from '../util/errors.ts';
import { readCertificates } from './certificates.ts';
import type { Capability, Endpoint } from './endpoint.ts';
import { inNetwork, resolveHost } from './host-address.ts';
import { parseHosts } from './hosts-file.ts';

/** What the daemon's configuration says of registries. */
export interface RegistrySettings {
  /** Mirrors of the official registry, tried in this order. */
  readonly mirrors: readonly string[];
  /** Hosts (`name:port`) and networks (CIDR) that may do without a good certificate, or without TLS. */
  readonly insecure: readonly string[];
  /** Directories with one directory a registry: certificates, and `hosts.toml`. */
  readonly certsDirs: readonly string[];
}

export const OFFICIAL = 'docker.io';
const OFFICIAL_HOST = 'registry-1.docker.io';
const LOOPBACK = ['127.0.0.0/8', '::1/128'];

const ALL: ReadonlySet<Capability> = new Set(['pull', 'resolve', 'push']);
const READING: ReadonlySet<Capability> = new Set(['pull', 'resolve']);

/** Splits a full name, `docker.io/library/busybox`, into the registry and the repository there. */
export function splitName(name: string): { registry: string; path: string } {
  const slash = name.indexOf('/');
  return { registry: name.slice(0, slash), path: name.slice(slash + 1) };
}

/**
 * The servers that stand for a registry, in the order they are to be tried: what its `hosts.toml` says, else the mirrors
 * and the registry itself. An insecure one is there twice, without verification and without TLS.
 *
 * @throws `invalid` for files that cannot be understood.
 */
export async function endpointsOf(settings: RegistrySettings, registry: string): Promise<Endpoint[]> {
  return (await configured(settings, registry)) ?? (await plain(settings, registry));
}

/** By the first `hosts.toml` there is for the registry, or for all. Format: containerd's `docs/hosts.md`. */
async function configured({ certsDirs }: RegistrySettings, registry: string): Promise<Endpoint[] | undefined> {
  for (const name of [registry, '_default']) {
    for (const dir of certsDirs.map((parent) => join(parent, name))) {
      const text = await readOptional(join(dir, 'hosts.toml'));
      if (text !== undefined) return await parseHosts(text, dir, registry, serverOf(registry));
    }
  }
  return undefined;
}

async function plain(settings: RegistrySettings, registry: string): Promise<Endpoint[]> {
  const mirrors = registry === OFFICIAL ? settings.mirrors : [];
  const endpoints: Endpoint[] = [];
  for (const mirror of mirrors) {
    const { host, protocol, pathname } = new URL(mirror);
    const tls = { ...(await readCertificates(settings.certsDirs, host)), verify: !(await isInsecure(settings, host)) };
    const base = `${protocol}//${host}${pathname.replace(/\/+$/, '')}/v2`;
    endpoints.push({ base, tls, headers: {}, capabilities: READING, namespace: undefined, own: false });
  }
  const host = serverOf(registry);
  const verify = !(await isInsecure(settings, host));
  const tls = { ...(await readCertificates(settings.certsDirs, registry)), verify };
  const own = { tls, headers: {}, capabilities: ALL, namespace: undefined, own: true };
  endpoints.push({ base: `https://${host}/v2`, ...own });
  if (!verify) endpoints.push({ base: `http://${host}/v2`, ...own });
  return endpoints;
}

const serverOf = (registry: string): string => (registry === OFFICIAL ? OFFICIAL_HOST : registry);

async function isInsecure({ insecure }: RegistrySettings, host: string): Promise<boolean> {
  if (insecure.includes(host)) return true;
  const networks = [...LOOPBACK, ...insecure.filter((one) => one.includes('/'))];
  const { hostname } = new URL(`https://${host}`);
  const bare = hostname.replace(/^\[|\]$/g, '');
  const addresses = isIP(bare) === 0 ? await resolveHost(bare) : [bare];
  return addresses.some((address) => networks.some((network) => inNetwork(address, network)));
}

async function readOptional(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (hasCode(error, 'ENOENT', 'ENOTDIR')) return undefined;
    throw error;
  }
}

/** What `registry-mirrors` may hold. @throws `invalid` in Docker's words. */
export function checkMirror(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined) throw invalid(`invalid mirror: "${text}" is not a valid URI`);
  if (url.protocol !== 'http:' && url.protocol !== 'https:') {
    throw invalid(`invalid mirror: unsupported scheme "${url.protocol.slice(0, -1)}" in "${text}"`);
  }
  if (url.username !== '' || url.password !== '') throw invalid('invalid mirror: username/password not allowed in URI');
  if (url.search !== '' || url.hash !== '') {
    throw invalid(`invalid mirror: path, query, or fragment at end of the URI "${text}"`);
  }
  return text;
}

/** What `insecure-registries` may hold. @throws `invalid` in Docker's words. */
export function checkInsecure(text: string): string {
  const host = text.replace(/^https?:\/\//i, '');
  if (/^[a-z]+:\/\//i.test(host)) throw invalid(`insecure registry ${text} should not contain '://'`);
  if (/^[^/]+\/\d+$/.test(host)) return host;
  if (host === '' || host.startsWith('-') || !URL.canParse(`https://${host}`) || host.includes('/')) {
    throw invalid(`insecure registry ${text} is not valid: invalid host "${host}"`);
  }
  return host;
}
