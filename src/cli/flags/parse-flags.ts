import { GantryError, messageOf } from '../../util/errors.ts';
import { goBool } from '../../util/go-bool.ts';
import type { FlagSpec } from './flag-spec.ts';

/** Wrong use of a command; shown with its usage line. */
export class UsageError extends GantryError {
  constructor(message: string) {
    super('invalid', message);
    this.name = 'UsageError';
  }
}

/** What the command line gave: flags by name, and the words that are not flags. */
export interface ParsedFlags {
  readonly args: readonly string[];
  /** The flag was given, whatever its value. */
  given(name: string): boolean;
  bool(name: string): boolean;
  /** The last value given, parsed; undefined when absent. */
  value<T = string>(name: string): T | undefined;
  /** The last value given; '' when absent. */
  text(name: string): string;
  /** All values given, parsed, in order. */
  list<T = string>(name: string): T[];
}

function parseBool(raw: string): boolean {
  const value = goBool(raw);
  if (value === undefined) throw new Error(`strconv.ParseBool: parsing ${JSON.stringify(raw)}: invalid syntax`);
  return value;
}

/**
 * Reads words by pflag's grammar: `--flag value`, `--flag=value`, `-f value`, `-fvalue`, `-f=value`, bundled `-it`, `--`.
 * Without `interspersed`, flags end at the first word that is none.
 *
 * @throws `UsageError` with pflag's texts.
 */
export function parseFlags(specs: readonly FlagSpec[], words: readonly string[], interspersed: boolean): ParsedFlags {
  const reader = new FlagReader(specs, words);
  return reader.read(interspersed);
}

class FlagReader {
  readonly #byName: Map<string, FlagSpec>;
  readonly #byShort: Map<string, FlagSpec>;
  readonly #words: readonly string[];
  readonly #values = new Map<string, unknown[]>();
  #at = 0;

  constructor(specs: readonly FlagSpec[], words: readonly string[]) {
    this.#byName = new Map(specs.map((spec) => [spec.name, spec]));
    this.#byShort = new Map(specs.flatMap((spec) => (spec.short === undefined ? [] : [[spec.short, spec]])));
    this.#words = words;
  }

  read(interspersed: boolean): ParsedFlags {
    const args: string[] = [];
    while (this.#at < this.#words.length) {
      const word = this.#words[this.#at++] ?? '';
      if (word === '--') {
        args.push(...this.#words.slice(this.#at));
        break;
      }
      if (!word.startsWith('-') || word === '-') {
        args.push(word);
        if (interspersed) continue;
        args.push(...this.#words.slice(this.#at));
        break;
      }
      if (word.startsWith('--')) this.#long(word);
      else this.#shorts(word.slice(1));
    }
    return parsed(args, this.#values);
  }

  #long(word: string): void {
    const [name = '', ...rest] = word.slice(2).split('=');
    if (name === '' || name.startsWith('-')) throw new UsageError(`bad flag syntax: ${word}`);
    const spec = this.#byName.get(name);
    if (spec === undefined) throw new UsageError(`unknown flag: --${name}`);
    if (rest.length > 0) this.#set(spec, rest.join('='));
    else if (spec.kind === 'bool') this.#set(spec, 'true');
    else this.#set(spec, this.#nextWord(`flag needs an argument: --${name}`));
  }

  #shorts(letters: string): void {
    for (let at = 0; at < letters.length; at++) {
      const letter = letters[at] ?? '';
      const spec = this.#byShort.get(letter);
      if (spec === undefined) {
        throw new UsageError(`unknown shorthand flag: '${letter}' in -${letters.slice(at)}`);
      }
      const rest = letters.slice(at + 1);
      if (rest.startsWith('=')) return this.#set(spec, rest.slice(1));
      if (spec.kind === 'bool') {
        this.#set(spec, 'true');
        continue;
      }
      const message = `flag needs an argument: '${letter}' in -${letters.slice(at)}`;
      return this.#set(spec, rest === '' ? this.#nextWord(message) : rest);
    }
  }

  #nextWord(message: string): string {
    const word = this.#words[this.#at++];
    if (word === undefined) throw new UsageError(message);
    return word;
  }

  #set(spec: FlagSpec, raw: string): void {
    const name = spec.aliasOf ?? spec.name;
    try {
      const value = spec.kind === 'bool' ? parseBool(raw) : (spec.parse?.(raw) ?? raw);
      const before = spec.kind === 'list' ? (this.#values.get(name) ?? []) : [];
      this.#values.set(name, [...before, value]);
    } catch (error) {
      const shown = spec.short === undefined ? `--${spec.name}` : `-${spec.short}, --${spec.name}`;
      throw new UsageError(`invalid argument ${JSON.stringify(raw)} for "${shown}" flag: ${messageOf(error)}`);
    }
  }
}

function parsed(args: readonly string[], values: ReadonlyMap<string, readonly unknown[]>): ParsedFlags {
  const last = (name: string) => values.get(name)?.at(-1);
  return {
    args,
    given: (name) => values.has(name),
    bool: (name) => last(name) === true,
    value: <T>(name: string) => last(name) as T | undefined,
    text: (name) => {
      const value = last(name);
      return typeof value === 'string' ? value : '';
    },
    list: <T>(name: string) => [...(values.get(name) ?? [])] as T[],
  };
}
