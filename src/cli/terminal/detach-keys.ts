import { invalid } from '../../util/errors.ts';

/** Docker's own way out of a terminal. */
export const DEFAULT_DETACH_KEYS = 'ctrl-p,ctrl-q';

const CONTROL: Readonly<Record<string, number>> = { '@': 0, '[': 27, '\\': 28, ']': 29, '^': 30, _: 31 };

/** Key names to the bytes they send: `a`, `ctrl-x`, `DEL`. @throws `invalid` with Docker's text. */
export function keyBytes(keys: string): number[] {
  return keys.split(',').map((key) => {
    const name = /^ctrl-(.)$/.exec(key)?.[1];
    if (name !== undefined && /[a-z]/.test(name)) return name.charCodeAt(0) - 96;
    const code = name === undefined ? undefined : CONTROL[name];
    if (code !== undefined) return code;
    if (key === 'DEL') return 127;
    if (Array.from(key).length !== 1) throw invalid(`Unknown character: '${key}'`);
    return key.charCodeAt(0);
  });
}

/**
 * Watches input for the detach sequence. Bytes that may begin it are held back until it is clear that they do not.
 *
 * @returns a function giving what may pass, or 'detach' once the sequence is complete.
 */
export function detachWatcher(sequence: readonly number[]): (chunk: Buffer) => Buffer | 'detach' {
  let matched = 0;
  return (chunk) => {
    const passed: number[] = [];
    for (const byte of chunk) {
      if (byte === sequence[matched]) {
        matched++;
        if (matched === sequence.length) return 'detach';
        continue;
      }
      passed.push(...sequence.slice(0, matched));
      matched = byte === sequence[0] ? 1 : 0;
      if (matched === 0) passed.push(byte);
    }
    return Buffer.from(passed);
  };
}
