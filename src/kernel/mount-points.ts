import { readFile } from 'node:fs/promises';

const ESCAPE = /\\([0-7]{3})/g;

/** The mount points at or below a directory, in the order they were mounted. Source: proc(5), mountinfo. */
export async function mountPoints(below: string): Promise<string[]> {
  const table = await readFile('/proc/self/mountinfo', 'utf8');
  return parseMountPoints(table).filter((path) => path === below || path.startsWith(`${below}/`));
}

/** The fifth field of every line. */
export function parseMountPoints(table: string): string[] {
  return table
    .split('\n')
    .map((line) => line.split(' ')[4] ?? '')
    .filter((path) => path !== '')
    .map(unescapePath);
}

/** A path as mountinfo writes it, with the octal escapes of blanks and backslashes undone. */
export function unescapePath(path: string): string {
  return path.replace(ESCAPE, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)));
}
