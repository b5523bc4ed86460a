import { invalid, messageOf } from './errors.ts';
import { goRegExpFault } from './go-regexp-fault.ts';

const POSIX: Readonly<Record<string, string>> = {
  alnum: '0-9A-Za-z',
  alpha: 'A-Za-z',
  ascii: '\\x00-\\x7F',
  blank: '\\t ',
  cntrl: '\\x00-\\x1F\\x7F',
  digit: '0-9',
  graph: '!-~',
  lower: 'a-z',
  print: ' -~',
  punct: '!-\\/:-@\\[-`{-~',
  space: '\\s',
  upper: 'A-Z',
  word: '0-9A-Za-z_',
  xdigit: '0-9A-Fa-f',
};

/** A regular expression as Go writes it; undefined when it is none. */
export function goRegExp(pattern: string): RegExp | undefined {
  try {
    return parseGoRegExp(pattern);
  } catch {
    return undefined;
  }
}

/**
 * A regular expression as Go writes it, as far as its spelling differs from JavaScript's: flags in front, classes of POSIX, the two ends of a
 * text, named groups. Source: the syntax page of Go's `regexp` package.
 *
 * @throws `invalid` in Go's words.
 */
export function parseGoRegExp(pattern: string): RegExp {
  const fault = goRegExpFault(pattern);
  if (fault !== undefined) throw invalid(`error parsing regexp: ${fault}`);
  const [, flags = '', body = ''] = /^(?:\(\?([ims]+)\))?(.*)$/s.exec(pattern) ?? [];
  const source = body
    .replace(/\[:(\^?)(\w+):\]/g, (whole, not: string, name: string) => (not === '' ? (POSIX[name] ?? whole) : whole))
    .replaceAll('(?P<', '(?<')
    .replace(/\\(\\|A|z)/g, (_, escaped: string) => ({ A: '^', z: '$' })[escaped] ?? '\\\\');
  try {
    return new RegExp(source, [...new Set(flags)].join(''));
  } catch (error) {
    throw invalid(`error parsing regexp: ${messageOf(error)}`, error);
  }
}
