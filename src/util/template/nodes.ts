/** An expression of the language: what may stand inside an action. `at` is the offset for error messages. */
export type Expr =
  | { kind: 'literal'; value: unknown; at: number }
  | { kind: 'dot'; at: number }
  | { kind: 'variable'; name: string; fields: string[]; at: number }
  | { kind: 'field'; fields: string[]; at: number }
  | { kind: 'chain'; base: Expr; fields: string[]; at: number }
  | { kind: 'function'; name: string; at: number }
  | { kind: 'pipe'; pipe: Pipe; at: number };

/** Commands joined by `|`, each a word and its arguments; `declares` names the variables it is assigned to. */
export interface Pipe {
  declares: string[];
  assigns: boolean;
  commands: Expr[][];
}

export type Node =
  | { kind: 'text'; text: string }
  | { kind: 'action'; pipe: Pipe }
  | { kind: 'if' | 'with' | 'range'; pipe: Pipe; body: Node[]; otherwise: Node[] }
  | { kind: 'break' | 'continue' };
