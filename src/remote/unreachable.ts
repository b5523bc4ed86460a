import { internal, messageOf } from '../util/errors.ts';

/** No answer came, or not all of it: no connection, no trust, or a connection that broke. */
export class Unreachable extends Error {
  /** The same may go through a moment later. */
  readonly passing: boolean;

  constructor(message: string, passing: boolean, cause?: unknown) {
    super(message, { cause });
    this.name = 'Unreachable';
    this.passing = passing;
  }
}

const UNTRUSTED = new Set([
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
]);

/** What may be different at the next try. */
const PASSING = new Set(['ECONNRESET', 'EPIPE', 'ETIMEDOUT', 'EAI_AGAIN']);

/**
 * An error of Node's as users of Docker know it.
 *
 * @param doing what was tried, `Get "https://…"`.
 */
export function unreachable(error: unknown, doing: string, url: URL): Unreachable {
  const first = error instanceof AggregateError ? error.errors[0] : error;
  const code = first instanceof Error && 'code' in first ? String(first.code) : '';
  const message = messageOf(first);
  const passing = PASSING.has(code) || /socket hang up|timeout/.test(message);
  return new Unreachable(`${doing}: ${words(code, first, message, url)}`, passing, error);
}

function words(code: string, error: unknown, message: string, url: URL): string {
  if (UNTRUSTED.has(code)) return 'x509: certificate signed by unknown authority';
  if (code === 'CERT_HAS_EXPIRED' || code === 'CERT_NOT_YET_VALID')
    return 'x509: certificate has expired or is not yet valid';
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') return `x509: certificate is not valid for ${url.hostname}`;
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') return `dial tcp: lookup ${url.hostname}: no such host`;
  if (/wrong version number|packet length too long|http_request/i.test(message))
    return 'http: server gave HTTP response to HTTPS client';
  if (code === 'ECONNREFUSED') return `dial tcp ${addressOf(error, url)}: connect: connection refused`;
  if (message === 'aborted') return 'unexpected EOF';
  if (code === 'ECONNRESET' && !/hang up/.test(message)) return 'read: connection reset by peer';
  return /hang up/.test(message) ? 'EOF' : message;
}

function addressOf(error: unknown, url: URL): string {
  if (!(error instanceof Error && 'address' in error && 'port' in error)) return url.host;
  const { address, port } = error;
  return String(address).includes(':') ? `[${String(address)}]:${String(port)}` : `${String(address)}:${String(port)}`;
}

/** For whoever asked the API. */
export const asInternal = (error: unknown): unknown =>
  error instanceof Unreachable ? internal(error.message, error) : error;
