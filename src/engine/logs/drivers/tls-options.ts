import { readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { type ConnectionOptions, createSecureContext, getCACertificates } from 'node:tls';
import { hasCode, invalid, messageOf } from '../../../util/errors.ts';
import type { LogOptions } from './driver.ts';

/** How a host is asked for over TLS. Certificates name an address by itself, not as a server's name. */
export function tlsTo(host: string): ConnectionOptions {
  return { minVersion: 'TLSv1.2', ...(isIP(host) === 0 ? { servername: host } : {}) };
}

/** Adds the authorities that every connection trusts: those that Node brings along, and those that an administrator gave the system. */
export function trustingSystem(options: ConnectionOptions): ConnectionOptions {
  const ca = [...getCACertificates('bundled'), ...getCACertificates('system'), ...[options.ca ?? []].flat()];
  return { ...options, secureContext: createSecureContext({ ...options, ca }) };
}

/**
 * What the options `syslog-tls-…` ask for. That `skip-verify` is given counts, not what it says, as in Docker.
 *
 * @throws `invalid` in Docker's words when a file is missing or is not what it should be.
 */
export function syslogTls(options: LogOptions, host: string): ConnectionOptions {
  const verify = options['syslog-tls-skip-verify'] === undefined;
  const ca = options['syslog-tls-ca-cert'] ?? '';
  const own = keyPair(options['syslog-tls-cert'] ?? '', options['syslog-tls-key'] ?? '');
  const trusted = verify && ca !== '' ? { ca: readAuthority(ca) } : {};
  return { ...tlsTo(host), ...trusted, ...own, rejectUnauthorized: verify };
}

function readAuthority(path: string): string {
  const pem = read(path, `could not read CA certificate "${path}"`);
  if (!pem.includes('-----BEGIN CERTIFICATE-----')) {
    throw invalid(`failed to append certificates from PEM file: "${path}"`);
  }
  return pem;
}

function keyPair(certPath: string, keyPath: string): { cert?: string; key?: string } {
  if (certPath === '' && keyPath === '') return {};
  const what = 'Could not load X509 key pair';
  const pair = { cert: read(certPath, what), key: read(keyPath, what) };
  if (!pair.key.includes('PRIVATE KEY-----')) throw invalid(`${what}: no valid private key found`);
  try {
    createSecureContext(pair);
    return pair;
  } catch (error) {
    throw invalid(`${what}: ${messageOf(error)}`, error);
  }
}

function read(path: string, what: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    const why = hasCode(error, 'ENOENT') ? 'no such file or directory' : messageOf(error);
    throw invalid(`${what}: open ${path}: ${why}`, error);
  }
}
