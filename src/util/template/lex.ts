import { invalid } from '../errors.ts';

/** A piece of a template: literal text, or an action's words. */
export type Piece = { kind: 'text'; text: string } | { kind: 'action'; tokens: Token[]; at: number };

export type TokenKind = 'field' | 'variable' | 'dot' | 'word' | 'string' | 'number' | 'punct';

export interface Token {
  kind: TokenKind;
  text: string;
  at: number;
  /** White space stood before it: `a .b` are two operands, `a.b` is one. */
  spaced: boolean;
}

const PATTERNS: readonly [TokenKind, RegExp][] = [
  ['string', /"(?:[^"\\\n]|\\.)*"|`[^`]*`|'(?:[^'\\\n]|\\.)+'/y],
  ['number', /[+-]?(?:0x[0-9a-fA-F]+|\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)/y],
  ['field', /\.[\p{L}_][\p{L}\p{N}_]*/uy],
  ['variable', /\$[\p{L}\p{N}_]*/uy],
  ['dot', /\./y],
  ['word', /[\p{L}_][\p{L}\p{N}_]*/uy],
  ['punct', /:=|[|()=,]/y],
];

/** What is wrong with a template; who compiles it adds its name. */
export const templateError = (message: string) => invalid(message);

/** Cuts a Go template into text and actions; `{{- ` and ` -}}` trim the text beside them, comments vanish. */
export function lex(source: string): Piece[] {
  const pieces: Piece[] = [];
  let at = 0;
  let trim = false;
  while (at < source.length) {
    const open = source.indexOf('{{', at);
    const text = source.slice(at, open < 0 ? undefined : open);
    const trimEnd = open >= 0 && /^\{\{-\s/.test(source.slice(open, open + 4));
    let shown = trim ? text.trimStart() : text;
    if (trimEnd) shown = shown.trimEnd();
    if (shown !== '') pieces.push({ kind: 'text', text: shown });
    if (open < 0) break;
    const action = lexAction(source, open + (trimEnd ? 3 : 2));
    if (action.tokens !== undefined) pieces.push({ kind: 'action', tokens: action.tokens, at: open + 2 });
    trim = action.trim;
    at = action.end;
  }
  return pieces;
}

function lexAction(source: string, start: number): { tokens: Token[] | undefined; end: number; trim: boolean } {
  const comment = /\s*\/\*[\s\S]*?\*\/(\s+-)?\}\}/y;
  comment.lastIndex = start;
  const isComment = comment.exec(source);
  if (isComment !== null) return { tokens: undefined, end: comment.lastIndex, trim: isComment[1] !== undefined };
  const tokens: Token[] = [];
  let at = start;
  for (;;) {
    const space = /\s*/y;
    space.lastIndex = at;
    space.exec(source);
    const spaced = space.lastIndex > at;
    at = space.lastIndex;
    if (source.startsWith('}}', at)) return { tokens, end: at + 2, trim: false };
    if (spaced && source.startsWith('-}}', at)) return { tokens, end: at + 3, trim: true };
    if (at >= source.length) throw templateError('unclosed action');
    const token = nextToken(source, at, spaced);
    tokens.push(token);
    at += token.text.length;
  }
}

function nextToken(source: string, at: number, spaced: boolean): Token {
  for (const [kind, pattern] of PATTERNS) {
    pattern.lastIndex = at;
    const match = pattern.exec(source);
    if (match !== null) return { kind, text: match[0], at, spaced };
  }
  const char = source[at] ?? '';
  if (char === '"') throw templateError('unterminated quoted string');
  if (char === '`') throw templateError('unterminated raw quoted string');
  throw templateError(`unexpected ${JSON.stringify(char)} in command`);
}
