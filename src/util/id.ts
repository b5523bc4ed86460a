import { randomBytes } from 'node:crypto';

/**
 * A fresh object id: 64 lower-case hex digits. As in Docker, the first twelve are never all decimal
 * digits, because the short form is used as a host name and a numeric one would read as an address.
 */
export function randomId(): string {
  for (;;) {
    const id = randomBytes(32).toString('hex');
    if (/[a-f]/.test(id.slice(0, 12))) return id;
  }
}

/** The twelve digits people see. */
export function shortId(id: string): string {
  return id.replace(/^sha256:/, '').slice(0, 12);
}
