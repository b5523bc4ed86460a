import type { MountPoint } from '../../spec/container.ts';
import { invalid } from '../../util/errors.ts';

const BASE = ['noexec', 'nosuid', 'nodev', 'rprivate'];
/** Words of mount(8) that undo each other, first the kernel's default. */
const OPPOSITES: readonly (readonly string[])[] = [
  ['exec', 'noexec'],
  ['suid', 'nosuid'],
  ['dev', 'nodev'],
  ['rw', 'ro'],
  ['async', 'sync'],
  ['atime', 'noatime'],
  ['diratime', 'nodiratime'],
  ['norelatime', 'relatime'],
  ['nostrictatime', 'strictatime'],
  ['nodirsync', 'dirsync'],
  ['nomand', 'mand'],
];
const SINGLE = new Set(['defaults', 'private', 'rprivate', 'shared', 'rshared', 'slave', 'rslave']);
const KEYS = new Set(['size', 'mode', 'uid', 'gid', 'nr_inodes', 'nr_blocks', 'mpol']);

/**
 * Mount options of a `--tmpfs`: Docker's own, then those asked for, of two that contradict each other the later one.
 *
 * @throws `invalid` in Docker's words for an option tmpfs does not have.
 */
export function tmpfsOptions(asked: string): string[] {
  const wanted = asked === '' ? [] : asked.split(',');
  wanted.forEach(check);
  // The runtime would hand the word on to the kernel, to which it means nothing.
  const all = [...BASE, ...wanted.filter((option) => option !== 'defaults')];
  return all.filter((option, at) => !all.slice(at + 1).some((later) => kindOf(later) === kindOf(option)));
}

function check(option: string): void {
  const known = SINGLE.has(option) || OPPOSITES.some((pair) => pair.includes(option));
  const [key = '', ...values] = option.split('=');
  const value = values.join('=');
  // An empty or a negative value is one the kernel refuses, without a word about which option it was.
  if (known || (KEYS.has(key) && value !== '' && !value.startsWith('-'))) return;
  const shown = values.length === 0 ? [key] : [key, value];
  throw invalid(`invalid tmpfs option [${shown.map((word) => JSON.stringify(word)).join(' ')}]`);
}

/** Options of one kind exclude each other. */
function kindOf(option: string): string {
  const pair = OPPOSITES.findIndex((words) => words.includes(option));
  if (pair >= 0) return `pair ${pair}`;
  return option.split('=', 1)[0] ?? option;
}

const SUFFIXES: readonly (readonly [string, number])[] = [
  ['g', 2 ** 30],
  ['m', 2 ** 20],
  ['k', 2 ** 10],
];

/** What a mount of type tmpfs asks for, written as `--tmpfs` takes it. */
export function tmpfsOptionsOf({ TmpfsOptions: asked, ReadOnly }: MountPoint): string {
  const words = ReadOnly ? ['ro'] : [];
  if (asked === null) return words.join(',');
  if (asked.Mode !== 0) words.push(`mode=${asked.Mode.toString(8)}`);
  if (asked.SizeBytes !== 0) words.push(`size=${shortSize(asked.SizeBytes)}`);
  return [...words, ...(asked.Options ?? []).map(parseOption)].join(',');
}

/** A word, or a name and its value. @throws `invalid` in Docker's words. */
function parseOption(pair: readonly string[]): string {
  const [name = ''] = pair;
  if (pair.length < 1 || pair.length > 2) throw invalid('invalid option array length');
  if (!['exec', 'noexec'].includes(name)) throw invalid(`invalid option: ${name}`);
  return pair.join('=');
}

function shortSize(bytes: number): string {
  const [suffix, unit] = SUFFIXES.find(([, size]) => bytes % size === 0) ?? ['', 1];
  return `${bytes / unit}${suffix}`;
}
