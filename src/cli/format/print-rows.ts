import { invalid, messageOf } from '../../util/errors.ts';
import { FUNCTIONS, type Functions } from '../../util/template/functions.ts';
import { GO_TYPE, goJson } from '../../util/template/go-print.ts';
import { compileTemplate, type Template } from '../../util/template/template.ts';
import { alignTabs, DOCKER_TABS } from './tab-table.ts';

/** What one kind of row offers to templates. */
export interface RowKind<T> {
  /** Go's name for it, in error messages. */
  goType: string;
  /** Fields in any order; each is computed when asked for. A function is a method with arguments. */
  fields: Readonly<Record<string, (item: T) => unknown>>;
  /** Methods with arguments: callable in templates, not part of `json`. */
  methods?: Readonly<Record<string, (item: T) => (...args: unknown[]) => unknown>>;
  headers: Readonly<Record<string, string>>;
}

function rowOf<T>(kind: RowKind<T>, item: T): object {
  const row = { [GO_TYPE]: kind.goType };
  for (const [name, get] of Object.entries(kind.fields)) {
    Object.defineProperty(row, name, { enumerable: true, get: () => get(item) });
  }
  for (const [name, method] of Object.entries(kind.methods ?? {})) Object.assign(row, { [name]: method(item) });
  return row;
}

/** `{{json .}}` of a row lists its fields by name; Go escapes HTML there. */
function rowJson<T>(kind: RowKind<T>, item: T): string {
  const names = Object.keys(kind.fields).sort();
  const entries = names.map((name) => [name, kind.fields[name]?.(item)]);
  return goJson(Object.fromEntries(entries), true);
}

/** In a table's header line the fields are headings: functions that would spoil them pass them through. */
const HEADER_FUNCTIONS: Functions = {
  ...FUNCTIONS,
  json: (value) => value,
  title: (value) => value,
  lower: (value) => value,
  upper: (value) => value,
  truncate: (value) => value,
  split: (value) => value,
  join: (value) => value,
  pad: FUNCTIONS['pad'] ?? ((value) => value),
};

function compile(format: string, functions?: Functions): Template {
  try {
    return compileTemplate(format, functions === undefined ? {} : { functions });
  } catch (error) {
    throw invalid(`failed to parse template: ${messageOf(error)}`);
  }
}

function execute(template: Template, data: unknown): string {
  try {
    return template.execute(data);
  } catch (error) {
    throw invalid(`failed to execute template: ${messageOf(error)}`);
  }
}

/**
 * Renders rows by a `--format`: `table` with an optional template, `json`, or a template for every row.
 * `defaultTable` is the template of the plain table.
 */
export function printRows<T>(kind: RowKind<T>, items: readonly T[], format: string, defaultTable: string): string {
  if (format === 'json') return items.map((item) => `${rowJson(kind, item)}\n`).join('');
  const table = format === '' || /^table(\s|$)/.test(format) || format.startsWith('table{{');
  const given = table ? format.replace(/^table/, '').trim() : format;
  const body = (given === '' ? defaultTable : given).replaceAll('\\t', '\t').replaceAll('\\n', '\n');
  const template = compile(body, { ...FUNCTIONS, json: (value) => jsonOf(kind, value) });
  const lines = items.map((item) => `${execute(template, holding(rowOf(kind, item), item))}\n`).join('');
  if (!table) return lines;
  const headers = {
    ...kind.headers,
    ...Object.fromEntries(Object.keys(kind.methods ?? {}).map((n) => [n, (h: unknown) => h])),
  };
  return alignTabs(`${execute(compile(body, HEADER_FUNCTIONS), headers)}\n${lines}`, DOCKER_TABS);
}

const ITEM = Symbol('item');

function holding(row: object, item: unknown): object {
  return Object.assign(row, { [ITEM]: item });
}

function jsonOf<T>(kind: RowKind<T>, value: unknown): string {
  const item = typeof value === 'object' && value !== null ? (value as { [ITEM]?: T })[ITEM] : undefined;
  return item === undefined ? goJson(value ?? null, false) : rowJson(kind, item);
}
