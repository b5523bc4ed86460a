/** How cells are spread, as in Go's text/tabwriter. */
export interface TabOptions {
  minWidth: number;
  padding: number;
}

/** Docker's own tables. */
export const DOCKER_TABS: TabOptions = { minWidth: 10, padding: 3 };

/**
 * Aligns cells ended by tabs. As in text/tabwriter a column is a run of consecutive lines that have such a cell,
 * and what follows a line's last tab belongs to no column.
 */
export function alignTabs(text: string, options: TabOptions): string {
  const lines = text.split('\n').map((line) => line.split('\t'));
  const widths = lines.map((): number[] => []);
  measure(lines, widths, 0, lines.length, 0, options);
  return lines.map((cells, at) => cells.map((cell, column) => pad(cell, widths[at]?.[column])).join('')).join('\n');
}

const widthOf = (text: string) => Array.from(text).length;

function pad(cell: string, width: number | undefined): string {
  return width === undefined ? cell : cell + ' '.repeat(Math.max(0, width - widthOf(cell)));
}

function measure(
  lines: string[][],
  widths: number[][],
  from: number,
  to: number,
  column: number,
  options: TabOptions,
): void {
  const has = (at: number) => column < (lines[at]?.length ?? 0) - 1;
  for (let start = from; start < to; start++) {
    if (!has(start)) continue;
    let end = start;
    let width = options.minWidth;
    while (end < to && has(end)) width = Math.max(width, widthOf(lines[end++]?.[column] ?? '') + options.padding);
    for (let at = start; at < end; at++) widths[at]?.push(width);
    measure(lines, widths, start, end, column + 1, options);
    start = end - 1;
  }
}
