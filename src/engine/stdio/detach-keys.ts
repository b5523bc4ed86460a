import { invalid } from '../../util/errors.ts';

export const DEFAULT_DETACH_KEYS = 'ctrl-p,ctrl-q';

function keyCode(key: string, error: () => Error): number {
  if (key.length === 1 && key.charCodeAt(0) < 0x80) return key.charCodeAt(0);
  if (key === 'DEL') return 127;
  const control = /^ctrl-([@a-z[\\\]^_])$/.exec(key)?.[1];
  if (control === undefined) throw error();
  return control.toUpperCase().charCodeAt(0) - 64;
}

/**
 * The bytes of a key sequence such as `ctrl-p,ctrl-q` or `a,ctrl-\`; an empty text stands for the default.
 *
 * @param what how the error names them: Docker says `escape` for an exec and `detach` for a container.
 * @throws `invalid` `Invalid escape keys (x) provided`.
 */
export function parseDetachKeys(text: string, what: 'escape' | 'detach' = 'escape'): Buffer {
  const error = () => invalid(`Invalid ${what} keys (${text}) provided`);
  const keys = (text === '' ? DEFAULT_DETACH_KEYS : text).split(',');
  return Buffer.from(keys.map((key) => keyCode(key, error)));
}

/** Looks for a key sequence in a client's input. What may be its start is held back until it is known not to be. */
export class DetachScanner {
  readonly #keys: Buffer;
  /** How many keys of the sequence the input ends with. */
  #matched = 0;

  constructor(keys: Buffer) {
    this.#keys = keys;
  }

  /** The input to pass on, and whether the sequence was completed; what follows the sequence is dropped. */
  push(chunk: Buffer): { data: Buffer; detached: boolean } {
    const before = this.#matched;
    for (let i = 0; i < chunk.length; i++) {
      this.#advance(chunk[i] ?? 0);
      if (this.#matched < this.#keys.length) continue;
      const length = before + i + 1 - this.#keys.length;
      this.#matched = 0;
      return { data: this.#with(before, chunk).subarray(0, length), detached: true };
    }
    const all = this.#with(before, chunk);
    return { data: all.subarray(0, all.length - this.#matched), detached: false };
  }

  /** What was held back, when the input ends. */
  flush(): Buffer {
    const held = this.#keys.subarray(0, this.#matched);
    this.#matched = 0;
    return held;
  }

  #with(held: number, chunk: Buffer): Buffer {
    return held === 0 ? chunk : Buffer.concat([this.#keys.subarray(0, held), chunk]);
  }

  /** After a mismatch the longest tail that is again a start of the sequence counts. */
  #advance(byte: number): void {
    while (this.#matched > 0 && this.#keys[this.#matched] !== byte) this.#matched = this.#fallback(this.#matched);
    if (this.#keys[this.#matched] === byte) this.#matched += 1;
  }

  #fallback(matched: number): number {
    for (let length = matched - 1; length > 0; length--) {
      const tail = this.#keys.subarray(matched - length, matched);
      if (tail.equals(this.#keys.subarray(0, length))) return length;
    }
    return 0;
  }
}
