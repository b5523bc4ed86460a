import { invalid } from '../../util/errors.ts';

/** The strings of `["a", "b"]`; undefined when the text is no JSON array. @throws `invalid` for other members. */
export function jsonStrings(text: string): string[] | undefined {
  if (!text.startsWith('[')) return undefined;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (!Array.isArray(value)) return undefined;
  if (!value.every((word): word is string => typeof word === 'string')) {
    throw invalid('when using JSON array syntax, arrays must be comprised of strings only');
  }
  return value;
}

/** Splits at white space outside quotes; quotes and backslashes stay. */
export function splitWords(text: string): string[] {
  return text.match(/(?:\\[\s\S]|"(?:\\[\s\S]|[^"\\])*"?|'[^']*'?|[^\s"'\\])+/g) ?? [];
}

/** Takes quotes and escaping backslashes away and puts variables in: `$name`, `${name}`, `${name:-word}`, `${name:+word}`. */
export function expandWord(word: string, env: ReadonlyMap<string, string>): string {
  const variable = (text: string): string => text.replace(VARIABLE, (all, ...groups) => substitute(all, groups, env));
  return word.replace(/'([^']*)'|"((?:\\[\s\S]|[^"\\])*)"|((?:\\[\s\S]|[^'"\\])+)|\\/g, (_, single, double, plain) => {
    if (typeof single === 'string') return single;
    if (typeof double === 'string') return variable(double).replace(/\\(["$\\])/g, '$1');
    return typeof plain === 'string' ? variable(plain).replace(/\\([\s\S])/g, '$1') : '';
  });
}

const VARIABLE = /(?<!\\)\$(?:([A-Za-z_]\w*)|\{([A-Za-z_]\w*)(?::([-+])([^}]*))?\})/g;

function substitute(all: string, groups: readonly unknown[], env: ReadonlyMap<string, string>): string {
  const [bare, braced, operator, word] = groups;
  const name = typeof bare === 'string' ? bare : braced;
  if (typeof name !== 'string') return all;
  const value = env.get(name) ?? '';
  const instead = typeof word === 'string' ? word : '';
  if (operator === '-') return value === '' ? instead : value;
  if (operator === '+') return value === '' ? '' : instead;
  return value;
}

/** `a=b c="d e"`, or the old form `a rest of the line`. @throws `invalid` in Docker's words. */
export function nameValues(
  command: string,
  text: string,
  env: ReadonlyMap<string, string>,
): [name: string, value: string][] {
  const words = splitWords(text);
  const [first = ''] = words;
  if (!first.includes('=')) {
    const rest = text.slice(first.length).trim();
    if (rest === '') throw invalid(`${command} must have two arguments`);
    return [[expandWord(first, env), expandWord(rest, env)]];
  }
  return words.map((word) => {
    const at = word.indexOf('=');
    if (at < 0)
      throw invalid(`Syntax error - can't find = in ${JSON.stringify(word)}. Must be of the form: name=value`);
    const name = expandWord(word.slice(0, at), env);
    if (name === '') throw invalid(`${command} names can not be blank`);
    return [name, expandWord(word.slice(at + 1), env)];
  });
}
