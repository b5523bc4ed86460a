/**
 * Go's `json.Indent` with four spaces: puts white space between the tokens of a JSON text and leaves the tokens alone,
 * so that numbers and escapes stay as the engine wrote them.
 */
export function indentJson(text: string, depth = 0): string {
  const tokens = text.match(/"(?:[^"\\]|\\.)*"|[{}[\],:]|[^\s{}[\],:"]+/g) ?? [];
  const out: string[] = [];
  let level = depth;
  const newline = () => out.push(`\n${'    '.repeat(level)}`);
  for (const [at, token] of tokens.entries()) {
    const opensEmpty = (token === '{' && tokens[at + 1] === '}') || (token === '[' && tokens[at + 1] === ']');
    const closesEmpty = (token === '}' && tokens[at - 1] === '{') || (token === ']' && tokens[at - 1] === '[');
    if ((token === '}' || token === ']') && !closesEmpty) {
      level--;
      newline();
    }
    out.push(token === ':' ? ': ' : token);
    if ((token === '{' || token === '[') && !opensEmpty) {
      level++;
      newline();
    }
    if (token === ',') newline();
  }
  return out.join('');
}
