import { isIP } from 'node:net';
import { invalid } from '../../util/errors.ts';

/** What every container can resolve, byte for byte dockerd's. */
const LOCAL = [
  '127.0.0.1\tlocalhost',
  '::1\tlocalhost ip6-localhost ip6-loopback',
  'fe00::0\tip6-localnet',
  'ff00::0\tip6-mcastprefix',
  'ff02::1\tip6-allnodes',
  'ff02::2\tip6-allrouters',
];

/**
 * Splits an extra host, `name:address`, with `host-gateway` replaced; an IPv6 address may stand in brackets.
 *
 * @throws `invalid` in Docker's words.
 */
export function parseExtraHost(text: string, hostGateway: string): { name: string; address: string } {
  const at = text.indexOf(':');
  if (at < 1) throw invalid(`bad format for add-host: "${text}"`);
  const [name, value] = [text.slice(0, at), text.slice(at + 1)];
  const address = value === 'host-gateway' ? hostGateway : value.replace(/^\[(.*)\]$/, '$1');
  if (isIP(address) === 0) throw invalid(`invalid IP address in add-host: "${value}"`);
  return { name, address };
}

export interface HostsOptions {
  extraHosts: readonly string[];
  /** What `host-gateway` stands for. */
  hostGateway: string;
  /** The container's own address; empty: it has none. */
  address: string;
  hostname: string;
  domainname: string;
}

/** The whole name and its first part, however it was split between the two. */
function ownNames(hostname: string, domainname: string): string {
  const full = domainname === '' ? hostname : `${hostname}.${domainname}`;
  return full.includes('.') ? `${full} ${full.slice(0, full.indexOf('.'))}` : full;
}

/** A container's /etc/hosts. */
export function hostsFile({ extraHosts, hostGateway, address, hostname, domainname }: HostsOptions): string {
  const extra = extraHosts.map((text) => parseExtraHost(text, hostGateway));
  const lines = [
    ...LOCAL,
    ...extra.map((entry) => `${entry.address}\t${entry.name}`),
    ...(address === '' || hostname === '' ? [] : [`${address}\t${ownNames(hostname, domainname)}`]),
  ];
  return `${lines.join('\n')}\n`;
}
