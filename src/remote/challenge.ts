/** One way a server says it wants to know who asks (RFC 9110, section 11.3). */
export interface Challenge {
  /** In lower case: `bearer`, `basic`. */
  readonly scheme: string;
  /** By names in lower case. */
  readonly parameters: Readonly<Record<string, string>>;
}

const TOKEN = "[!#$%&'*+.^_`|~0-9A-Za-z-]+";
const SCHEME = new RegExp(`^(${TOKEN})(?:[ \\t]+|(?=,)|$)`);
const PARAMETER = new RegExp(`^(${TOKEN})[ \\t]*=[ \\t]*(?:"((?:[^"\\\\]|\\\\.)*)"|(${TOKEN}))`);
const SEPARATOR = /^[ \t]*(?:,[ \t]*)*/;

/** Reads the values of `WWW-Authenticate`; what cannot be read ends the list. */
export function parseChallenges(values: readonly string[]): Challenge[] {
  return values.flatMap(parseOne);
}

function parseOne(value: string): Challenge[] {
  const challenges: { scheme: string; parameters: Record<string, string> }[] = [];
  let rest = value.trim();
  while (rest !== '') {
    const parameter = PARAMETER.exec(rest);
    const current = challenges.at(-1);
    if (parameter !== null && current !== undefined) {
      const [whole, name = '', quoted, plain] = parameter;
      current.parameters[name.toLowerCase()] = quoted?.replace(/\\(.)/g, '$1') ?? plain ?? '';
      rest = rest.slice(whole.length);
    } else {
      const scheme = SCHEME.exec(rest);
      if (scheme === null) break;
      challenges.push({ scheme: (scheme[1] ?? '').toLowerCase(), parameters: {} });
      rest = rest.slice(scheme[0].length);
    }
    rest = rest.replace(SEPARATOR, '');
  }
  return challenges;
}
