import { randomBytes } from 'node:crypto';
import type { OutputName } from '../engine.ts';
import type { LogMessage } from './drivers/driver.ts';
import { recordEnd } from './line-cut.ts';

const NEWLINE = 0x0a;

/** Makes messages of the records of one stream, and numbers the parts of long lines. */
export class MessageCut {
  readonly #stream: OutputName;
  #long: { id: string; ordinal: number } | undefined;

  constructor(stream: OutputName) {
    this.#stream = stream;
  }

  /** @param bytes whole records, from `LineBuffer`. A line that the end of its stream has cut counts as a part, as in Docker. */
  *messages(bytes: Buffer, time: bigint): Generator<LogMessage> {
    for (let start = 0; start < bytes.length; ) {
      const end = recordEnd(bytes, start, bytes.length);
      const ended = bytes[end - 1] === NEWLINE;
      // A copy: what waits for its receiver must not keep a whole chunk alive.
      const line = Buffer.from(bytes.subarray(start, ended ? end - 1 : end));
      yield { stream: this.#stream, line, time, ...this.#part(ended) };
      start = end;
    }
  }

  #part(last: boolean): Pick<LogMessage, 'partial'> {
    if (last && this.#long === undefined) return {};
    this.#long ??= { id: randomBytes(32).toString('hex'), ordinal: 0 };
    const { id } = this.#long;
    this.#long.ordinal += 1;
    const { ordinal } = this.#long;
    if (last) this.#long = undefined;
    return { partial: { id, ordinal, last } };
  }
}
