import { lex, type Piece, type Token, templateError } from './lex.ts';
import type { Expr, Node, Pipe } from './nodes.ts';

/** Parses a Go template. `functions` are the names it may call. @throws `invalid` with Go's wording. */
export function parseTemplate(source: string, functions: ReadonlySet<string>): Node[] {
  const parser = new Parser(lex(source), functions);
  const { nodes, end } = parser.list();
  if (end !== undefined) throw templateError(`unexpected {{${end}}}`);
  return nodes;
}

class Parser {
  #next = 0;
  #depth = 0;
  readonly #pieces: Piece[];
  readonly #functions: ReadonlySet<string>;
  #scopes: Set<string>[] = [new Set(['$'])];

  constructor(pieces: Piece[], functions: ReadonlySet<string>) {
    this.#pieces = pieces;
    this.#functions = functions;
  }

  /** Nodes up to `{{end}}` or `{{else}}`, whose rest of words come back too. */
  list(): { nodes: Node[]; end: 'end' | 'else' | undefined; rest: Token[] } {
    const nodes: Node[] = [];
    while (this.#next < this.#pieces.length) {
      const piece = this.#pieces[this.#next++];
      if (piece === undefined) break;
      if (piece.kind === 'text') {
        nodes.push(piece);
        continue;
      }
      const word = piece.tokens[0]?.kind === 'word' ? piece.tokens[0].text : '';
      if (word === 'end' || word === 'else') return { nodes, end: word, rest: piece.tokens.slice(1) };
      nodes.push(this.#action(word, piece.tokens));
    }
    if (this.#depth > 0) throw templateError('unexpected EOF');
    return { nodes, end: undefined, rest: [] };
  }

  #action(word: string, tokens: Token[]): Node {
    if (word === 'if' || word === 'with' || word === 'range') return this.#block(word, tokens.slice(1));
    if (word === 'break' || word === 'continue') return { kind: word };
    if (word === 'template' || word === 'define' || word === 'block') {
      throw templateError(`{{${word}}} is not supported`);
    }
    if (tokens.length === 0) throw templateError('missing value for command');
    return { kind: 'action', pipe: this.#pipe(tokens, 'command') };
  }

  #block(kind: 'if' | 'with' | 'range', tokens: Token[]): Node {
    this.#scopes.push(new Set());
    this.#depth++;
    const pipe = this.#pipe(tokens, kind);
    const body = this.list();
    const otherwise: Node[] = [];
    if (body.end === 'else') {
      const first = body.rest[0];
      if (first?.kind === 'word' && (first.text === 'if' || first.text === 'with')) {
        otherwise.push(this.#block(first.text, body.rest.slice(1)));
      } else {
        const rest = this.list();
        if (rest.end === 'else') throw templateError('expected end; found {{else}}');
        otherwise.push(...rest.nodes);
      }
    }
    this.#depth--;
    this.#scopes.pop();
    return { kind, pipe, body: body.nodes, otherwise };
  }

  #pipe(tokens: Token[], context: string): Pipe {
    const reader = new ExprReader(tokens, this.#functions, this.#scopes);
    const pipe = reader.pipe(context);
    reader.finish(context);
    return pipe;
  }
}

/** Reads one action's words. */
class ExprReader {
  #at = 0;
  readonly #tokens: Token[];
  readonly #functions: ReadonlySet<string>;
  readonly #scopes: Set<string>[];

  constructor(tokens: Token[], functions: ReadonlySet<string>, scopes: Set<string>[]) {
    this.#tokens = tokens;
    this.#functions = functions;
    this.#scopes = scopes;
  }

  #peek(offset = 0): Token | undefined {
    return this.#tokens[this.#at + offset];
  }

  #is(text: string, offset = 0): boolean {
    const token = this.#peek(offset);
    return token?.kind === 'punct' && token.text === text;
  }

  finish(context: string): void {
    const left = this.#peek();
    if (left !== undefined) throw templateError(`unexpected ${JSON.stringify(left.text)} in ${context}`);
  }

  pipe(context: string): Pipe {
    const declares: string[] = [];
    const first = this.#peek();
    let assigns = false;
    if (first?.kind === 'variable') {
      const pair = this.#is(',', 1) && this.#peek(2)?.kind === 'variable' && (this.#is(':=', 3) || this.#is('=', 3));
      const single = this.#is(':=', 1) || this.#is('=', 1);
      if (pair || single) {
        declares.push(first.text);
        if (pair) declares.push(this.#peek(2)?.text ?? '');
        assigns = this.#is('=', pair ? 3 : 1);
        this.#at += pair ? 4 : 2;
      }
    }
    const commands = [this.#command(context)];
    while (this.#is('|')) {
      this.#at++;
      commands.push(this.#command(context));
    }
    if (!assigns) for (const name of declares) this.#scopes.at(-1)?.add(name);
    return { declares, assigns, commands };
  }

  #command(context: string): Expr[] {
    const operands: Expr[] = [];
    while (this.#peek() !== undefined && !this.#is('|') && !this.#is(')')) operands.push(this.#operand(context));
    if (operands.length === 0) throw templateError(`missing value for ${context}`);
    return operands;
  }

  #fields(): string[] {
    const fields: string[] = [];
    for (let token = this.#peek(); token?.kind === 'field' && !token.spaced; token = this.#peek()) {
      fields.push(token.text.slice(1));
      this.#at++;
    }
    return fields;
  }

  #operand(context: string): Expr {
    const token = this.#peek();
    if (token === undefined) throw templateError(`missing value for ${context}`);
    this.#at++;
    const { at, text } = token;
    switch (token.kind) {
      case 'string':
        return { kind: 'literal', value: unquote(text), at };
      case 'number':
        return { kind: 'literal', value: Number(text), at };
      case 'dot':
        return { kind: 'dot', at };
      case 'field':
        return { kind: 'field', fields: [text.slice(1), ...this.#fields()], at };
      case 'variable':
        if (!this.#scopes.some((scope) => scope.has(text)))
          throw templateError(`undefined variable ${JSON.stringify(text)}`);
        return { kind: 'variable', name: text, fields: this.#fields(), at };
      case 'word':
        return this.#word(text, at);
      case 'punct':
        return this.#parenthesis(token, context);
    }
  }

  #word(text: string, at: number): Expr {
    if (text === 'true' || text === 'false') return { kind: 'literal', value: text === 'true', at };
    if (text === 'nil') return { kind: 'literal', value: null, at };
    if (!this.#functions.has(text)) throw templateError(`function ${JSON.stringify(text)} not defined`);
    return { kind: 'function', name: text, at };
  }

  #parenthesis(token: Token, context: string): Expr {
    if (token.text !== '(') throw templateError(`unexpected ${JSON.stringify(token.text)} in ${context}`);
    const pipe = this.pipe('parenthesized pipeline');
    if (!this.#is(')')) throw templateError('unclosed left paren');
    this.#at++;
    const base: Expr = { kind: 'pipe', pipe, at: token.at };
    const fields = this.#fields();
    return fields.length === 0 ? base : { kind: 'chain', base, fields, at: token.at };
  }
}

const ESCAPES: Readonly<Record<string, string>> = { n: '\n', t: '\t', r: '\r', a: '\x07', b: '\b', f: '\f', v: '\v' };

/** A Go string or character literal's value; a character is its code point. */
function unquote(text: string): string | number {
  if (text.startsWith('`')) return text.slice(1, -1);
  const inner = text.slice(1, -1).replace(/\\(x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|[0-7]{3}|.)/g, (_all, escape: string) => {
    if (/^[xu]./.test(escape)) return String.fromCodePoint(Number.parseInt(escape.slice(1), 16));
    if (/^[0-7]{3}$/.test(escape)) return String.fromCodePoint(Number.parseInt(escape, 8));
    return ESCAPES[escape] ?? escape;
  });
  return text.startsWith("'") ? (inner.codePointAt(0) ?? 0) : inner;
}
