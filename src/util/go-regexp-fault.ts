/**
 * What Go's `regexp` says of a pattern that it does not take, such as ``missing closing ): `(` ``; undefined when it finds nothing wrong.
 * It refuses what JavaScript allows: looking around, and references back to a group.
 */
export function goRegExpFault(pattern: string): string | undefined {
  let depth = 0;
  /** The operator before, as far as another one may not follow it. */
  let repeated = '';
  let repeatable = false;
  for (let at = 0; at < pattern.length; ) {
    const token = TOKEN.exec(pattern.slice(at))?.[0] ?? '';
    const fault = tokenFault(token, pattern.slice(at), { repeated, repeatable });
    if (fault !== undefined) return fault;
    depth += token.startsWith('(') ? (token.endsWith(')') ? 0 : 1) : token === ')' ? -1 : 0;
    if (depth < 0) return `unexpected ): \`${pattern}\``;
    repeated = isRepetition(token) ? token : '';
    repeatable = !['(', '|'].includes(token.charAt(0)) || token.endsWith(')');
    at += token.length;
  }
  return depth > 0 ? `missing closing ): \`${pattern}\`` : undefined;
}

const CLASS = String.raw`\[\^?\]?(?:\[:\^?\w+:\]|\\.|[^\]\\])*\]`;
const GROUP = String.raw`\((?:\?(?:P<\w+>|[imsU-]+[:)]|:|<?[=!]?))?`;
const TOKEN = new RegExp(String.raw`^(?:\\.|${CLASS}|${GROUP}|(?:[*+?]|\{\d+(?:,\d*)?\})\??|.)`, 's');

const isRepetition = (token: string): boolean => /^(?:[*+?]|\{\d)/.test(token);

function tokenFault(
  token: string,
  rest: string,
  before: { repeated: string; repeatable: boolean },
): string | undefined {
  if (token === '\\') return 'trailing backslash at end of expression: ``';
  if (/^\\[1-9]$/.test(token)) return `invalid escape sequence: \`${token}\``;
  if (token === '[') return `missing closing ]: \`${rest}\``;
  if (/^\(\?(?:<?[=!]?)$/.test(token)) return `invalid or unsupported Perl syntax: \`${token}\``;
  if (!isRepetition(token)) return undefined;
  if (before.repeated !== '') return `invalid nested repetition operator: \`${before.repeated}${token}\``;
  return before.repeatable ? undefined : `missing argument to repetition operator: \`${token}\``;
}
