import { readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import type { ConnectionOptions } from 'node:tls';
import type { LogOptions } from './driver.ts';

/** What the options `syslog-tls-…` ask for. That `skip-verify` is given counts, not what it says, as in Docker. @throws system errors. */
export function tlsOptions(options: LogOptions, host: string): ConnectionOptions {
  const file = (name: string) => {
    const path = options[name] ?? '';
    return path === '' ? undefined : readFileSync(path);
  };
  const [ca, cert, key] = [file('syslog-tls-ca-cert'), file('syslog-tls-cert'), file('syslog-tls-key')];
  return {
    minVersion: 'TLSv1.2',
    rejectUnauthorized: options['syslog-tls-skip-verify'] === undefined,
    ...(isIP(host) === 0 ? { servername: host } : {}),
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
  };
}
