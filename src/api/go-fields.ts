import type { GenericSchema } from 'valibot';

/** The parts of valibot's schemas that lead to the objects inside. */
interface Inner {
  entries?: Record<string, GenericSchema>;
  wrapped?: GenericSchema;
  item?: GenericSchema;
  /** Of a tuple. */
  items?: readonly GenericSchema[];
  value?: GenericSchema;
  options?: readonly GenericSchema[];
  pipe?: readonly GenericSchema[];
}

/** Stands for a list where the schema has no place for one. */
export const NOT_AN_OBJECT = Symbol('array');

const fieldNames = new WeakMap<object, Map<string, string>>();

function namesOf(entries: Record<string, GenericSchema>): Map<string, string> {
  let names = fieldNames.get(entries);
  if (!names) {
    names = new Map(Object.keys(entries).map((name) => [name.toLowerCase(), name]));
    fieldNames.set(entries, names);
  }
  return names;
}

function fields(entries: Record<string, GenericSchema>, value: Record<string, unknown>): Record<string, unknown> {
  const names = namesOf(entries);
  const out: [string, unknown][] = [];
  for (const [key, inner] of Object.entries(value)) {
    const name = Object.hasOwn(entries, key) ? key : (names.get(key.toLowerCase()) ?? key);
    const schema = entries[name];
    out.push([name, schema ? goFields(schema, inner) : inner]);
  }
  return Object.fromEntries(out);
}

/**
 * Gives the fields of a parsed JSON value the names their schema knows. Go matches names regardless of case, and the last
 * of several spellings wins; some clients rely on it.
 */
export function goFields(schema: GenericSchema, value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  const inner = schema as Inner;
  if (Array.isArray(value)) {
    const item = find(inner, 'item');
    if (item) return value.map((one) => goFields(item, one));
    if (find(inner, 'items')) return value;
    // Valibot takes a list for an object without fields; a bare symbol fits no schema, so it reports the mistake in place.
    return NOT_AN_OBJECT;
  }
  const entries = find(inner, 'entries');
  if (entries) return fields(entries, value as Record<string, unknown>);
  const item = find(inner, 'value');
  return item ? Object.fromEntries(Object.entries(value).map(([key, one]) => [key, goFields(item, one)])) : value;
}

function wrappers(schema: Inner): Inner[] {
  const first = schema.pipe?.[0];
  return [schema.wrapped, first === schema ? undefined : first, ...(schema.options ?? [])].filter(
    (inner) => inner !== undefined,
  ) as Inner[];
}

/** The first of a schema and those it wraps that has the part. */
function find<P extends keyof Inner>(schema: Inner, part: P): Inner[P] | undefined {
  if (schema[part] !== undefined) return schema[part];
  for (const inner of wrappers(schema)) {
    const found = find(inner, part);
    if (found !== undefined) return found;
  }
  return undefined;
}
