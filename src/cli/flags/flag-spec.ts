/** One flag of a command, as pflag describes it. Values are checked when they are read, by `parse`. */
export interface FlagSpec {
  name: string;
  /** One letter. */
  short?: string;
  /** `bool` takes no value unless given with `=`; `list` may be repeated. */
  kind: 'bool' | 'one' | 'list';
  /** The type's name in the help text, e.g. `string`; booleans have none. */
  type?: string;
  doc: string;
  /** As the help text shows it. */
  default?: string;
  /** Parsed, but not shown in the help text: other spellings, and what has no effect on Linux. */
  hidden?: boolean;
  /** Another flag this is a spelling of. */
  aliasOf?: string;
  /** Turns the text into a value, or throws with Docker's reason. */
  parse?: (raw: string) => unknown;
}

type Extra = Partial<Omit<FlagSpec, 'name' | 'kind' | 'doc'>>;

/** `'t, tty'` or `'tty'` to name and letter. */
function names(text: string): { name: string; short?: string } {
  const [first = '', second] = text.split(', ');
  return second === undefined ? { name: first } : { name: second, short: first };
}

export const bool = (name: string, doc: string, extra: Extra = {}): FlagSpec => ({
  ...names(name),
  kind: 'bool',
  doc,
  ...extra,
});

export const one = (name: string, type: string, doc: string, extra: Extra = {}): FlagSpec => ({
  ...names(name),
  kind: 'one',
  type,
  doc,
  ...extra,
});

export const text = (name: string, doc: string, extra: Extra = {}): FlagSpec => one(name, 'string', doc, extra);

export const list = (name: string, doc: string, extra: Extra = {}): FlagSpec => ({
  ...names(name),
  kind: 'list',
  type: 'list',
  doc,
  ...extra,
});
