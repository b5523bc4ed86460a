import { invalid, messageOf } from '../errors.ts';
import { FUNCTIONS, type Functions, isTrue } from './functions.ts';
import { GO_TYPE, goPrint, sortedKeys } from './go-print.ts';
import type { Expr, Node, Pipe } from './nodes.ts';
import { parseTemplate } from './parse.ts';

/** A parsed Go template: the part of text/template that command lines use. */
export interface Template {
  /** @throws `invalid` with Go's wording when a field is missing or a function fails. */
  execute(data: unknown): string;
}

export interface TemplateOptions {
  functions?: Functions;
  /** What a map does with an absent key: print `<no value>`, or fail as docker inspect does. */
  missingKey?: 'no value' | 'error';
  /** What it is called in errors. */
  name?: string;
}

/** Parses `source`. @throws `invalid` with Go's wording. */
export function compileTemplate(source: string, options: TemplateOptions = {}): Template {
  const { functions = FUNCTIONS, missingKey = 'no value', name = '' } = options;
  const nodes = parseNamed(source, functions, name);
  return {
    execute(data) {
      const run = new Run({ source, functions, missingKey, name }, data);
      run.nodes(nodes, data);
      return run.output;
    },
  };
}

function parseNamed(source: string, functions: Functions, name: string): Node[] {
  try {
    return parseTemplate(source, new Set(Object.keys(functions)));
  } catch (error) {
    throw invalid(`template: ${name}:1: ${messageOf(error)}`, error);
  }
}

type Jump = 'break' | 'continue' | undefined;

class Run {
  output = '';
  readonly #source: string;
  readonly #functions: Functions;
  readonly #missingKey: 'no value' | 'error';
  readonly #name: string;
  readonly #variables: { name: string; value: unknown }[];

  constructor({ source, functions, missingKey, name }: Required<TemplateOptions> & { source: string }, data: unknown) {
    this.#source = source;
    this.#functions = functions;
    this.#missingKey = missingKey;
    this.#name = name;
    this.#variables = [{ name: '$', value: data }];
  }

  nodes(nodes: readonly Node[], dot: unknown): Jump {
    for (const node of nodes) {
      const jump = this.#node(node, dot);
      if (jump !== undefined) return jump;
    }
    return undefined;
  }

  #node(node: Node, dot: unknown): Jump {
    switch (node.kind) {
      case 'text':
        this.output += node.text;
        return undefined;
      case 'action': {
        const value = this.#pipe(node.pipe, dot);
        if (node.pipe.declares.length === 0) this.output += goPrint(value);
        return undefined;
      }
      case 'break':
      case 'continue':
        return node.kind;
      case 'range':
        return this.#scoped(() => this.#range(node, dot));
      default:
        return this.#scoped(() => {
          const value = this.#pipe(node.pipe, dot);
          if (!isTrue(value)) return this.nodes(node.otherwise, dot);
          return this.nodes(node.body, node.kind === 'with' ? value : dot);
        });
    }
  }

  #scoped(work: () => Jump): Jump {
    const depth = this.#variables.length;
    const jump = work();
    this.#variables.length = depth;
    return jump;
  }

  #range(node: Extract<Node, { body: Node[] }>, dot: unknown): Jump {
    const value = this.#pipe({ ...node.pipe, declares: [] }, dot);
    const entries = rangeEntries(value);
    if (entries === undefined)
      throw this.#error(node.pipe.commands[0]?.[0], `range can't iterate over ${goPrint(value)}`);
    if (entries.length === 0) return this.nodes(node.otherwise, dot);
    const names = node.pipe.declares;
    for (const [key, item] of entries) {
      const jump = this.#scoped(() => {
        const values = names.length === 1 ? [item] : [key, item];
        for (const [at, name] of names.entries()) this.#assign(name, values[at], node.pipe.assigns);
        return this.nodes(node.body, item);
      });
      if (jump === 'break') break;
    }
    return undefined;
  }

  #assign(name: string, value: unknown, existing: boolean): void {
    const variable = existing ? this.#variables.findLast((one) => one.name === name) : undefined;
    if (variable === undefined) this.#variables.push({ name, value });
    else variable.value = value;
  }

  #pipe(pipe: Pipe, dot: unknown): unknown {
    let value: unknown;
    for (const [at, command] of pipe.commands.entries()) value = this.#command(command, dot, at === 0 ? [] : [value]);
    for (const name of pipe.declares) this.#assign(name, value, pipe.assigns);
    return value;
  }

  /** `piped` is the value from the left of `|`: it becomes the last argument. */
  #command(command: readonly Expr[], dot: unknown, piped: unknown[]): unknown {
    const [first, ...rest] = command;
    if (first === undefined) return undefined;
    if (first.kind === 'function' && (first.name === 'and' || first.name === 'or')) {
      return this.#shortCircuit(first.name, rest, dot, piped);
    }
    const args = () => [...rest.map((operand) => this.#value(operand, dot)), ...piped];
    if (first.kind === 'function') return this.#call(first, args());
    const value = this.#operand(first, dot);
    if (typeof value === 'function')
      return this.#guard(first, () => (value as (...a: unknown[]) => unknown)(...args()));
    if (rest.length > 0 || piped.length > 0) {
      throw this.#error(first, `can't give argument to non-function ${this.#textOf(first)}`);
    }
    return value;
  }

  #shortCircuit(name: 'and' | 'or', operands: readonly Expr[], dot: unknown, piped: unknown[]): unknown {
    let value: unknown;
    for (const operand of operands) {
      value = this.#value(operand, dot);
      if (isTrue(value) === (name === 'or')) return value;
    }
    return piped.length > 0 ? piped[0] : value;
  }

  #call(target: Extract<Expr, { kind: 'function' }>, args: unknown[]): unknown {
    const call = this.#functions[target.name];
    return this.#guard(target, () => call?.(...args), `error calling ${target.name}: `);
  }

  #guard<T>(where: Expr, work: () => T, prefix = ''): T {
    try {
      return work();
    } catch (error) {
      throw this.#error(where, prefix + messageOf(error));
    }
  }

  /** An operand in argument position: methods without arguments are called. */
  #value(expr: Expr, dot: unknown): unknown {
    if (expr.kind === 'function') return this.#call(expr, []);
    const value = this.#operand(expr, dot);
    return typeof value === 'function' ? value() : value;
  }

  #operand(expr: Expr, dot: unknown): unknown {
    switch (expr.kind) {
      case 'literal':
        return expr.value;
      case 'dot':
        return dot;
      case 'field':
        return this.#fields(expr, dot, expr.fields);
      case 'variable':
        return this.#fields(expr, this.#variables.findLast((one) => one.name === expr.name)?.value, expr.fields);
      case 'chain':
        return this.#fields(expr, this.#value(expr.base, dot), expr.fields);
      case 'pipe':
        return this.#pipe(expr.pipe, dot);
      case 'function':
        return this.#call(expr, []);
    }
  }

  #fields(expr: Expr, start: unknown, fields: readonly string[]): unknown {
    let value = start;
    let at = expr.at;
    for (const field of fields) {
      if (typeof value === 'function') value = value();
      value = this.#field({ ...expr, at }, value, field);
      at += field.length + 1;
    }
    return value;
  }

  #field(expr: Expr, value: unknown, field: string): unknown {
    if (value === undefined || value === null) {
      if (this.#missingKey === 'no value' && value === undefined) return undefined;
      throw this.#error(expr, `nil data; no entry for key ${JSON.stringify(field)}`);
    }
    if (typeof value !== 'object' || Array.isArray(value)) {
      throw this.#error(expr, `can't evaluate field ${field} in type interface {}`);
    }
    const map = value as Record<string | symbol, unknown>;
    if (Object.hasOwn(map, field)) return map[field];
    const goType = map[GO_TYPE];
    if (typeof goType === 'string') throw this.#error(expr, `can't evaluate field ${field} in type ${goType}`);
    if (this.#missingKey === 'error') throw this.#error(expr, `map has no entry for key ${JSON.stringify(field)}`);
    return undefined;
  }

  #textOf(expr: Expr | undefined): string {
    if (expr?.kind === 'field') return `.${expr.fields.join('.')}`;
    if (expr?.kind === 'variable') return [expr.name, ...expr.fields].join('.');
    if (expr?.kind === 'function') return expr.name;
    return '.';
  }

  #error(expr: Expr | undefined, reason: string): Error {
    const at = expr?.at ?? 0;
    const line = this.#source.slice(0, at).split('\n').length;
    const column = at - (this.#source.lastIndexOf('\n', at - 1) + 1);
    return invalid(
      `template: ${this.#name}:${line}:${column}: executing "${this.#name}" at <${this.#textOf(expr)}>: ${reason}`,
    );
  }
}

function rangeEntries(value: unknown): [unknown, unknown][] | undefined {
  if (value === undefined || value === null) return [];
  if (Array.isArray(value)) return value.map((item, at) => [at, item]);
  if (typeof value === 'number') return Array.from({ length: value }, (_none, at) => [at, at]);
  if (typeof value !== 'object') return undefined;
  const map = value as Record<string, unknown>;
  return sortedKeys(map).map((key) => [key, map[key]]);
}
