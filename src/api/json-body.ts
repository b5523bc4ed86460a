import type { IncomingMessage } from 'node:http';
import * as v from 'valibot';
import { invalid, messageOf } from '../util/errors.ts';
import { goFields, NOT_AN_OBJECT } from './go-fields.ts';
import { checkDepth } from './json-depth.ts';

/** Bytes of a JSON body; the largest real ones carry a seccomp profile. */
const MAX_BODY = 4 << 20;

const GO_TYPES: Record<string, string> = {
  string: 'string',
  boolean: 'bool',
  number: 'int64',
  '(string | Array)': 'string',
};

/** Numbers of the right kind that are out of range: the type Go names then. */
const NUMERIC: Record<string, string> = { safe_integer: 'int64', min_value: 'uint64', max_value: 'uint16' };

function jsonType(value: unknown): string {
  if (Array.isArray(value) || value === NOT_AN_OBJECT) return 'array';
  if (value === null) return 'null';
  return typeof value === 'boolean' ? 'bool' : typeof value;
}

/** What Go's decoder would say of the first thing that does not fit. */
function goTypeError(root: string, issue: v.BaseIssue<unknown>): string {
  const path = (issue.path ?? [])
    .filter((part) => part.type !== 'array')
    .map((part) => String(part.key))
    .join('.');
  const expected = (issue.expected ?? '').replace(/ \| null\)?$/, '').replace(/^\((?!string \| Array)/, '');
  const wanted = GO_TYPES[expected] ?? (expected === 'Array' ? 'array' : 'object');
  const numeric = typeof issue.input === 'number' && NUMERIC[issue.type];
  const received = numeric ? `number ${issue.input}` : jsonType(issue.input);
  if (path === '') return `json: cannot unmarshal ${received} into Go value of type ${root}`;
  return `json: cannot unmarshal ${received} into Go struct field ${root}.${path} of type ${numeric || wanted}`;
}

function parseText(text: string): unknown {
  checkDepth(text);
  try {
    return JSON.parse(text);
  } catch (error) {
    const message = messageOf(error);
    if (/after JSON at/.test(message) && /non-whitespace/.test(message)) throw invalid('unexpected content after JSON');
    if (/Unexpected end|Unterminated/.test(message)) throw invalid('invalid JSON: unexpected EOF');
    throw invalid(`invalid JSON: ${message}`);
  }
}

async function readBody(req: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of req as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > MAX_BODY) throw invalid('http: request body too large');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}

function checkContentType(header: string | undefined): void {
  const type = header?.split(';')[0]?.trim().toLowerCase();
  if (type !== 'application/json') throw invalid(`Content-Type specified (${header ?? ''}) must be 'application/json'`);
}

/** Checks a parsed JSON value against a schema. `root` names the value in error messages. @throws `invalid` with Go's text. */
export function checkJson<S extends v.GenericSchema>(schema: S, root: string, value: unknown): v.InferOutput<S> {
  const result = v.safeParse(schema, goFields(schema, value), { abortEarly: true });
  if (result.success) return result.output;
  throw invalid(`invalid JSON: ${goTypeError(root, result.issues[0])}`);
}

/**
 * Reads a request's JSON body. With `optional`, a missing body is the zero value of the schema.
 *
 * @throws `invalid`: not JSON by its content type, malformed, too large or deep, or of the wrong shape.
 */
export async function readJson<S extends v.GenericSchema>(
  req: IncomingMessage,
  schema: S,
  options: { root: string; optional?: boolean },
): Promise<v.InferOutput<S>> {
  const text = await readBody(req);
  if (text.trim() === '') {
    if (options.optional === true) return checkJson(schema, options.root, {});
    throw invalid('invalid JSON: got EOF while reading request body');
  }
  checkContentType(req.headers['content-type']);
  const value = parseText(text);
  return checkJson(schema, options.root, value === null ? {} : value);
}
