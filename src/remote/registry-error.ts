import type { IncomingMessage } from 'node:http';
import * as v from 'valibot';
import { readLimited } from './read-limited.ts';

/** A registry's answer that says no. `code` is one of the distribution specification's, `''` when it gave none. */
export class RegistryError extends Error {
  readonly status: number;
  readonly code: string;
  /** Milliseconds after which the registry wants to be asked again, when it said so. */
  readonly pause: number | undefined;

  constructor(status: number, code: string, message: string, pause?: number) {
    super(message);
    this.name = 'RegistryError';
    this.status = status;
    this.code = code;
    this.pause = pause;
  }
}

const BODY_LIMIT = 64 * 1024;

const ErrorsSchema = v.object({
  errors: v.array(
    v.object({ code: v.string(), message: v.optional(v.nullable(v.string())), detail: v.optional(v.unknown()) }),
  ),
});
const DetailsSchema = v.object({ details: v.string() });

/** What codes mean where the answer does not say it. Source: the distribution specification, "Error Codes". */
const MEANINGS: Readonly<Record<string, string>> = {
  UNAUTHORIZED: 'authentication required',
  DENIED: 'requested access to the resource is denied',
  MANIFEST_UNKNOWN: 'manifest unknown',
  NAME_UNKNOWN: 'repository name not known to registry',
  TOOMANYREQUESTS: 'too many requests',
};

/** Reads an answer to its end and makes an error of it, in the words of Docker. */
export async function registryError(answer: IncomingMessage): Promise<RegistryError> {
  const status = answer.statusCode ?? 0;
  const body = await readLimited(answer, BODY_LIMIT).catch(() => Buffer.alloc(0));
  const { code, message } = told(parseJson(body.toString('utf8'))) ?? meant(answer);
  return new RegistryError(status, code, message, retryAfter(answer));
}

/** What the body says. */
function told(json: unknown): { code: string; message: string } | undefined {
  const errors = v.safeParse(ErrorsSchema, json);
  const [first] = errors.success ? errors.output.errors : [];
  if (first !== undefined) {
    const name = first.code.toLowerCase().replaceAll('_', ' ');
    return { code: first.code, message: `${name}: ${first.message || (MEANINGS[first.code] ?? 'unknown')}` };
  }
  const token = v.safeParse(DetailsSchema, json);
  return token.success ? { code: 'UNAUTHORIZED', message: `unauthorized: ${token.output.details}` } : undefined;
}

/** What the status alone says. */
function meant({ statusCode = 0, statusMessage = '' }: IncomingMessage): { code: string; message: string } {
  const code = { 401: 'UNAUTHORIZED', 403: 'DENIED', 429: 'TOOMANYREQUESTS' }[statusCode];
  if (code !== undefined) return { code, message: `${code.toLowerCase()}: ${MEANINGS[code]}` };
  return { code: '', message: `received unexpected HTTP status: ${statusCode} ${statusMessage}`.trimEnd() };
}

/** Source: RFC 9110, section 10.2.3: seconds or a date. */
function retryAfter({ headers }: IncomingMessage): number | undefined {
  const text = headers['retry-after'];
  if (text === undefined) return undefined;
  if (/^\d+$/.test(text)) return Number(text) * 1000;
  const at = Date.parse(text);
  return Number.isNaN(at) ? undefined : Math.max(at - Date.now(), 0);
}

/** Undefined for what is none. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
