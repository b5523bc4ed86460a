import type { FlagSpec } from './flag-spec.ts';

/** The flags' part of a help text, laid out as pflag's `FlagUsagesWrapped`. */
export function flagHelp(specs: readonly FlagSpec[], columns: number): string {
  const shown = specs.filter((spec) => spec.hidden !== true).sort((a, b) => (a.name < b.name ? -1 : 1));
  const heads = shown.map((spec) => {
    const name = spec.short === undefined ? `      --${spec.name}` : `  -${spec.short}, --${spec.name}`;
    return spec.kind === 'bool' ? name : `${name} ${spec.type ?? 'string'}`;
  });
  const widest = Math.max(0, ...heads.map((head) => head.length)) + 1;
  return shown
    .map((spec, at) => {
      const doc = spec.default === undefined ? spec.doc : `${spec.doc} (default ${spec.default})`;
      return `${(heads[at] ?? '').padEnd(widest)}  ${wrap(widest + 2, columns, doc)}\n`;
    })
    .join('');
}

function lastIndexOfAny(text: string, chars: string): number {
  return Math.max(...chars.split('').map((char) => text.lastIndexOf(char)));
}

/** Splits off at most `width` characters at a space; up to `slop` more stay on the line rather than wrap. */
function firstLine(width: number, slop: number, text: string): [string, string] {
  if (width + slop > text.length) return [text, ''];
  const head = text.slice(0, width);
  const space = lastIndexOfAny(head, ' \t\n');
  if (space <= 0) return [text, ''];
  const newline = head.lastIndexOf('\n');
  const cut = newline > 0 && newline < space ? newline : space;
  return [text.slice(0, cut), text.slice(cut + 1)];
}

function wrap(indent: number, columns: number, text: string): string {
  let margin = indent;
  let result = '';
  if (columns - margin < 24) {
    margin = 16;
    result = `\n${' '.repeat(margin)}`;
  }
  const newline = `\n${' '.repeat(margin)}`;
  if (columns - margin < 24) return text.replaceAll('\n', newline);
  const slop = 5;
  const width = columns - margin - slop;
  let [line, rest] = firstLine(width, slop, text);
  result += line.replaceAll('\n', newline);
  while (rest !== '') {
    [line, rest] = firstLine(width, slop, rest);
    result += newline + line.replaceAll('\n', newline);
  }
  return result;
}
