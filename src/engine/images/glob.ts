import { invalid } from '../../util/errors.ts';

/**
 * A pattern of Go's `path.Match` as a regular expression: `*` and `?` stop at slashes, `[a-z]` and `[^a-z]` are classes,
 * a backslash takes the next character as it is.
 *
 * @throws `invalid` `syntax error in pattern`.
 */
export function globToRegExp(pattern: string): RegExp {
  let source = '';
  for (let at = 0; at < pattern.length; ) {
    const [piece, next] = token(pattern, at);
    source += piece;
    at = next;
  }
  return new RegExp(`^${source}$`, 'su');
}

const bad = () => invalid('syntax error in pattern');
const literal = (char: string): string => (/[\\^$.*+?()[\]{}|/]/.test(char) ? `\\${char}` : char);
/** Only within brackets may a hyphen be escaped. */
const member = (char: string): string => (char === '-' ? '\\-' : literal(char));

function token(pattern: string, at: number): [source: string, next: number] {
  const char = String.fromCodePoint(pattern.codePointAt(at) ?? 0);
  if (char === '*') return ['[^/]*', at + 1];
  if (char === '?') return ['[^/]', at + 1];
  if (char === '[') return bracket(pattern, at + 1);
  if (char !== '\\') return [literal(char), at + char.length];
  const [plain, next] = escaped(pattern, at);
  return [literal(plain), next];
}

/** One character, a backslash before it taken away. */
function escaped(pattern: string, at: number): [char: string, next: number] {
  const start = pattern[at] === '\\' ? at + 1 : at;
  const code = pattern.codePointAt(start);
  if (code === undefined) throw bad();
  const char = String.fromCodePoint(code);
  return [char, start + char.length];
}

function bracket(pattern: string, start: number): [source: string, next: number] {
  const negated = pattern[start] === '^';
  const ranges: string[] = [];
  let at = negated ? start + 1 : start;
  while (ranges.length === 0 || pattern[at] !== ']') {
    if (pattern[at] === undefined || pattern[at] === '-' || pattern[at] === ']') throw bad();
    const [low, afterLow] = escaped(pattern, at);
    const [high, next] = pattern[afterLow] === '-' ? escaped(pattern, afterLow + 1) : [low, afterLow];
    if (high >= low) ranges.push(`${member(low)}-${member(high)}`);
    at = next;
    // An empty range matches nothing, but the class must not be empty.
    if (high < low) ranges.push('');
  }
  const body = ranges.join('');
  if (body === '') return [negated ? '[\\s\\S]' : '(?!)', at + 1];
  return [`[${negated ? '^' : ''}${body}]`, at + 1];
}
