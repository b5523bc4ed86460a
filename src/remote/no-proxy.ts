import { isIP } from 'node:net';
import { inNetwork } from './host-address.ts';

type Env = Readonly<Record<string, string | undefined>>;

/**
 * Whether a server is asked without the proxy of the environment: this host itself, and what `NO_PROXY` names. By Go's rules, which
 * dockerd follows (golang.org/x/net/http/httpproxy): names with all below them, or with a leading dot only those below;
 * addresses; networks; each but the last with a port if only that is meant; `*` for all. Node's own know no networks.
 */
export function isAskedDirectly(url: URL, env: Env): boolean {
  const host = url.hostname.toLowerCase().replace(/^\[(.*)\]$/, '$1');
  const port = url.port || (url.protocol === 'https:' ? '443' : '80');
  if (host === 'localhost' || host === '::1' || inNetwork(host, '127.0.0.0/8')) return true;
  const words = (env['NO_PROXY'] ?? env['no_proxy'] ?? '').toLowerCase().split(',');
  return words.some((word) => names(word.trim(), host, port));
}

function names(word: string, host: string, port: string): boolean {
  if (word === '') return false;
  if (word === '*' || inNetwork(host, word)) return true;
  const [, bracketed, plain = '', only = port] = /^(?:\[(.*)\]|(.*?))(?::(\d+))?$/.exec(word) ?? [];
  if (isIP(word) !== 0) return word === host;
  const name = bracketed ?? plain.replace(/^\*\./, '.');
  if (only !== port) return false;
  if (isIP(name) !== 0) return name === host;
  return name.startsWith('.') ? host.endsWith(name) : host === name || host.endsWith(`.${name}`);
}
