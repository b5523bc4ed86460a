import { type ErrorKind, GantryError } from '../util/errors.ts';

const KINDS: Record<number, ErrorKind> = {
  304: 'not-modified',
  400: 'invalid',
  401: 'unauthorized',
  403: 'forbidden',
  404: 'not-found',
  409: 'conflict',
  501: 'unsupported',
  503: 'unavailable',
};

/** An error an engine answered with. `detail` is its own words, the message adds Docker's prefix. */
export class DaemonError extends GantryError {
  readonly status: number;
  readonly detail: string;

  constructor(status: number, detail: string) {
    super(KINDS[status] ?? 'internal', `Error response from daemon: ${detail}`);
    this.name = 'DaemonError';
    this.status = status;
    this.detail = detail;
  }
}

/** Reads an error body: `{"message": …}`, or plain text from proxies and very old engines. */
export function daemonError(status: number, body: string): DaemonError {
  try {
    const parsed: unknown = JSON.parse(body);
    if (typeof parsed === 'object' && parsed !== null && 'message' in parsed) {
      return new DaemonError(status, String(parsed.message).trim());
    }
  } catch {
    // Not JSON: shown as it is.
  }
  return new DaemonError(status, body.trim() || `request returned status ${status}`);
}
