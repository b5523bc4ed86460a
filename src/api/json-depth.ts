import { invalid } from '../util/errors.ts';

/** Deeper than any body Docker defines; deeply nested input is how parsers are made to run out of stack. */
const MAX_DEPTH = 100;

/** @throws `invalid` when a JSON text nests deeper than any real body would. */
export function checkDepth(json: string): void {
  let depth = 0;
  for (let i = 0; i < json.length; i++) {
    const c = json[i];
    if (c === '"') {
      i = endOfString(json, i);
    } else if (c === '{' || c === '[') {
      if (++depth > MAX_DEPTH) throw invalid('invalid JSON: exceeded max depth');
    } else if (c === '}' || c === ']') depth--;
  }
}

/** Index of the closing quote of the string that opens at `start`. */
function endOfString(json: string, start: number): number {
  let i = start + 1;
  while (i < json.length && json[i] !== '"') i += json[i] === '\\' ? 2 : 1;
  return i;
}
