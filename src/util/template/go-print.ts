/** A value that Go would hold as a struct: printed by its values, and a missing field is an error naming `goType`. */
export const GO_TYPE = Symbol('go type');

/** The keys of a map in Go's printing order. */
export const sortedKeys = (map: object): string[] => Object.keys(map).sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));

/** `fmt.Sprint` of a value that came from JSON: `[a b]`, `map[k:v]`, `<nil>`. */
export function goPrint(value: unknown): string {
  if (value === undefined) return '<no value>';
  if (value === null) return '<nil>';
  if (Array.isArray(value)) return `[${value.map(goPrint).join(' ')}]`;
  if (typeof value === 'object') {
    const map = value as Record<string, unknown>;
    return `map[${sortedKeys(map)
      .map((key) => `${key}:${goPrint(map[key])}`)
      .join(' ')}]`;
  }
  if (typeof value === 'number' && !Number.isInteger(value)) return goFloat(value);
  return `${value as string | number | boolean | bigint}`;
}

/** `%v` of a float64: exponent form below 1e-4 and from 1e21 on. */
function goFloat(value: number): string {
  const exponent = Math.floor(Math.log10(Math.abs(value)));
  if (exponent >= -4 && exponent < 21) return String(value);
  return value.toExponential().replace(/e([+-])(\d)$/, 'e$10$2');
}

/** Go's `json.Marshal`: compact, bigint as a number; `escapeHtml` writes `<`, `>` and `&` as `\u00XX`. */
export function goJson(value: unknown, escapeHtml: boolean): string {
  const text =
    JSON.stringify(value, (_key, one: unknown) => (typeof one === 'bigint' ? rawJson(String(one)) : one)) ?? 'null';
  const safe = text.replace(/[\u2028\u2029]/g, (char) => `\\u${char.charCodeAt(0).toString(16)}`);
  if (!escapeHtml) return safe;
  return safe.replace(/[<>&]/g, (char) => `\\u00${char.charCodeAt(0).toString(16)}`);
}

/** ES2025's `JSON.rawJSON`, which TypeScript's library does not know yet. */
function rawJson(text: string): unknown {
  return (JSON as unknown as { rawJSON(text: string): unknown }).rawJSON(text);
}

/** Go's `strconv.Quote`. */
export function goQuote(text: string): string {
  const names: Record<string, string> = {
    '"': '\\"',
    '\\': '\\\\',
    '\n': '\\n',
    '\t': '\\t',
    '\r': '\\r',
    '\x07': '\\a',
    '\b': '\\b',
    '\f': '\\f',
    '\v': '\\v',
  };
  // oxlint-disable-next-line no-control-regex -- control characters are what is escaped
  const escaped = text.replace(/["\\]|[\x00-\x1f\x7f]/g, (char) => {
    return names[char] ?? `\\x${char.charCodeAt(0).toString(16).padStart(2, '0')}`;
  });
  return `"${escaped}"`;
}
