import { invalid } from '../../../util/errors.ts';

/** The parts of an address such as `tcp://host:514` or `unix:///path`. */
export interface TransportUrl {
  readonly scheme: string;
  /** Host without brackets; empty for a socket's path. */
  readonly host: string;
  /** Undefined: none was given. */
  readonly port: number | undefined;
  readonly path: string;
}

/** Parses what follows a scheme that was checked before. @throws `invalid` in the words of Go's `url.Parse`. */
export function parseTransportUrl(address: string): TransportUrl {
  const [, scheme = '', rest = ''] = /^([a-z][a-z0-9+.-]*):\/\/(.*)$/is.exec(address) ?? [];
  const slash = rest.indexOf('/');
  const [authority, path] = slash === -1 ? [rest, ''] : [rest.slice(0, slash), rest.slice(slash)];
  if (authority.startsWith('[') && !authority.includes(']')) throw invalid(`parse "${address}": missing ']' in host`);
  const match = /^(?:\[([^\]]*)\]|([^:]*))(?::(\d*))?$/.exec(authority);
  if (match === null)
    throw invalid(`parse "${address}": invalid port "${authority.slice(authority.indexOf(':'))}" after host`);
  const port = match[3] === undefined || match[3] === '' ? undefined : Number(match[3]);
  return { scheme, host: match[1] ?? match[2] ?? '', port, path };
}
