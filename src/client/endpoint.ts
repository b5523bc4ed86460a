import { invalid, unsupported } from '../util/errors.ts';

/** Where an engine listens. `label` is what error messages call it. */
export type Endpoint =
  | { kind: 'unix'; label: string; path: string }
  | { kind: 'tcp'; label: string; host: string; port: number };

/**
 * Reads a `--host` value: `unix:///path`, `tcp://host[:port]`, or a bare `host:port`.
 *
 * @throws `invalid` with Docker's text for anything else; `unsupported` for `ssh://`.
 */
export function parseEndpoint(host: string): Endpoint {
  const text = host.trim();
  if (text.startsWith('unix://')) return { kind: 'unix', label: text, path: text.slice('unix://'.length) };
  if (text.startsWith('ssh://')) throw unsupported(`connecting over ssh is not supported yet: ${text}`);
  const scheme = /^([a-z][a-z0-9+.-]*):\/\//i.exec(text)?.[1];
  if (scheme !== undefined && !['tcp', 'http', 'https'].includes(scheme)) {
    throw invalid(`Failed to initialize: unable to resolve docker endpoint: invalid bind address format: ${text}`);
  }
  return tcp(text, scheme === undefined ? text : text.slice(scheme.length + 3));
}

function tcp(label: string, address: string): Endpoint {
  const match = /^(\[[0-9a-f:.]+\]|[^:/[\]]*)(?::(\d+))?\/?$/i.exec(address);
  if (match === null)
    throw invalid(`Failed to initialize: unable to resolve docker endpoint: invalid bind address format: ${label}`);
  const host = (match[1] ?? '').replace(/^\[|\]$/g, '');
  return { kind: 'tcp', label, host: host === '' ? 'localhost' : host, port: Number(match[2] ?? 2375) };
}
