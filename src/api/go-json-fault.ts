/** Where a text stops being JSON; the message is what Go's decoder says of it. */
class Fault extends Error {}

/** What Go's decoder says of a text that is not JSON, as of version 1.19; undefined when it is. */
export function goJsonFault(text: string): string | undefined {
  try {
    const end = skipBlanks(text, value(text, skipBlanks(text, 0)));
    if (end < text.length) throw unexpected(text, end, 'after top-level value');
    return undefined;
  } catch (error) {
    if (error instanceof Fault) return error.message;
    throw error;
  }
}

const ESCAPES: Record<string, string> = {
  "'": "\\'",
  '\\': '\\\\',
  '\x07': '\\a',
  '\b': '\\b',
  '\f': '\\f',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  '\v': '\\v',
};

/** The first byte of a character, as Go quotes it. */
function quoted(char: string): string {
  const byte = Buffer.from(char)[0] ?? 0;
  const shown = byte < 0x20 || byte === 0x7f ? `\\x${byte.toString(16).padStart(2, '0')}` : String.fromCharCode(byte);
  return `'${ESCAPES[char] ?? shown}'`;
}

function unexpected(text: string, at: number, where: string): Fault {
  const point = text.codePointAt(at);
  if (point === undefined) return new Fault('unexpected EOF');
  return new Fault(`invalid character ${quoted(String.fromCodePoint(point))} ${where}`);
}

function skipBlanks(text: string, from: number): number {
  let at = from;
  while (' \t\r\n'.includes(text[at] ?? '-')) at++;
  return at;
}

/** Each of these takes the index where its part begins and gives the one behind it. @throws `Fault`. */
function value(text: string, at: number): number {
  const first = text[at] ?? '';
  if (first === '{') return object(text, at + 1);
  if (first === '[') return array(text, at + 1);
  if (first === '"') return string(text, at + 1);
  if (/[-\d]/.test(first)) return number(text, at);
  for (const word of ['true', 'false', 'null']) if (first === word[0]) return literal(text, at, word);
  throw unexpected(text, at, 'looking for beginning of value');
}

function object(text: string, from: number): number {
  let at = skipBlanks(text, from);
  if (text[at] === '}') return at + 1;
  for (;;) {
    if (text[at] !== '"') throw unexpected(text, at, 'looking for beginning of object key string');
    at = skipBlanks(text, string(text, at + 1));
    if (text[at] !== ':') throw unexpected(text, at, 'after object key');
    at = skipBlanks(text, value(text, skipBlanks(text, at + 1)));
    if (text[at] === '}') return at + 1;
    if (text[at] !== ',') throw unexpected(text, at, 'after object key:value pair');
    at = skipBlanks(text, at + 1);
  }
}

function array(text: string, from: number): number {
  let at = skipBlanks(text, from);
  if (text[at] === ']') return at + 1;
  for (;;) {
    at = skipBlanks(text, value(text, at));
    if (text[at] === ']') return at + 1;
    if (text[at] !== ',') throw unexpected(text, at, 'after array element');
    at = skipBlanks(text, at + 1);
  }
}

function string(text: string, from: number): number {
  for (let at = from; ; at++) {
    const char = text[at];
    if (char === '"') return at + 1;
    if (char === '\\') at = escape(text, at + 1);
    else if (char === undefined || char < ' ') throw unexpected(text, at, 'in string literal');
  }
}

/** Gives the index of the escape's last character. */
function escape(text: string, at: number): number {
  if (text[at] !== 'u') {
    if (!'bfnrt\\/"'.includes(text[at] ?? '-')) throw unexpected(text, at, 'in string escape code');
    return at;
  }
  for (let digit = at + 1; digit <= at + 4; digit++) {
    if (!/[\da-f]/i.test(text[digit] ?? '')) throw unexpected(text, digit, 'in \\u hexadecimal character escape');
  }
  return at + 4;
}

function digits(text: string, from: number, where: string): number {
  let at = from;
  while (/\d/.test(text[at] ?? '')) at++;
  if (at === from) throw unexpected(text, at, where);
  return at;
}

function number(text: string, from: number): number {
  let at = text[from] === '-' ? from + 1 : from;
  at = text[at] === '0' ? at + 1 : digits(text, at, 'in numeric literal');
  if (text[at] === '.') at = digits(text, at + 1, 'after decimal point in numeric literal');
  if (!/e/i.test(text[at] ?? '')) return at;
  at = /[+-]/.test(text[at + 1] ?? '') ? at + 2 : at + 1;
  return digits(text, at, 'in exponent of numeric literal');
}

function literal(text: string, at: number, word: string): number {
  for (let i = 1; i < word.length; i++) {
    if (text[at + i] !== word[i]) throw unexpected(text, at + i, `in literal ${word} (expecting '${word[i]}')`);
  }
  return at + word.length;
}
