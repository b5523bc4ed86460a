import type { IncomingMessage } from 'node:http';
import * as v from 'valibot';
import { invalid } from '../util/errors.ts';
import { goFields, NOT_AN_OBJECT } from './go-fields.ts';
import { parseJson } from './parse-json.ts';

/** Bytes of a JSON body. Docker has no bound; nothing that can be started comes near this one. */
const MAX_BODY = 32 << 20;

const GO_TYPES: Record<string, string> = {
  string: 'string',
  boolean: 'bool',
  number: 'int64',
  '(string | Array)': 'string',
};

/** Numbers that are not whole or out of range: the type Go names then. */
const NUMERIC: Record<string, string> = {
  integer: 'int64',
  gt_value: 'int64',
  lt_value: 'int64',
  min_value: 'uint64',
  max_value: 'uint16',
};

function jsonType(value: unknown): string {
  if (Array.isArray(value) || value === NOT_AN_OBJECT) return 'array';
  if (value === null) return 'null';
  if (typeof value === 'symbol') return 'number';
  return typeof value === 'boolean' ? 'bool' : typeof value;
}

/** How a number was written that is none for Go. */
const numberSource = (value: unknown): string | undefined =>
  typeof value === 'symbol' && value !== NOT_AN_OBJECT ? value.description : undefined;

/** What Go's decoder would say of the first thing that does not fit. */
function goTypeError(root: string, issue: v.BaseIssue<unknown>): string {
  const path = (issue.path ?? [])
    .filter((part) => part.type !== 'array')
    .map((part) => String(part.key))
    .join('.');
  const expected = (issue.expected ?? '').replace(/ \| null\)?$/, '').replace(/^\((?!string \| Array)/, '');
  const wanted = GO_TYPES[expected] ?? (expected === 'Array' ? 'array' : 'object');
  const numeric = typeof issue.input === 'number' && NUMERIC[issue.type];
  const written = numeric ? issue.input : wanted === 'int64' && numberSource(issue.input);
  const received = written ? `number ${written}` : jsonType(issue.input);
  if (path === '') return `json: cannot unmarshal ${received} into Go value of type ${root}`;
  return `json: cannot unmarshal ${received} into Go struct field ${root}.${path} of type ${numeric || wanted}`;
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
  const value = parseJson(text);
  return checkJson(schema, options.root, value === null ? {} : value);
}
