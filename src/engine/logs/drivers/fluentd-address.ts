import { invalid, messageOf } from '../../../util/errors.ts';
import type { StreamAddress } from './stream-connection.ts';
import { tlsTo } from './tls-options.ts';
import { parseTransportUrl } from './transport-url.ts';

const HOST = '127.0.0.1';
const PORT = 24224;

/** `host`, `host:port`, `tcp://…`, `tls://…` or `unix:///path`. @throws `invalid` in Docker's words. */
export function parseFluentdAddress(given = ''): StreamAddress {
  if (given === '') return { host: HOST, port: PORT };
  try {
    return parse(given.includes('://') ? given : `tcp://${given}`);
  } catch (error) {
    throw invalid(`invalid fluentd-address (${given}): ${messageOf(error)}`, error);
  }
}

function parse(address: string): StreamAddress {
  const { scheme, host, port = PORT, path } = parseTransportUrl(address);
  if (scheme === 'unix') {
    if (/^\/*$/.test(path)) throw new Error('path is empty');
    return { path };
  }
  if (scheme !== 'tcp' && scheme !== 'tls') throw new Error(`unsupported scheme: '${scheme}'`);
  if (path !== '') throw new Error('should not contain a path element');
  if (port > 65_535) throw new Error(`invalid port: strconv.ParseUint: parsing "${port}": value out of range`);
  const at = { host: host || HOST, port };
  return scheme === 'tls' ? { ...at, tls: tlsTo(at.host) } : at;
}
