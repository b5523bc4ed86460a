import { nowMicros } from '../../util/time.ts';

/** Who sets the host's clock back by more than this, in microseconds, means it. */
const SET_BACK = 1_000_000;

/**
 * Times for one log, rising strictly from `tick` to `tick`, so that what was logged first also sorts first; unless the host's clock is
 * set back.
 */
export class LogClock {
  readonly #now: () => number;
  #micros = 0;
  /** Nanoseconds within the microsecond, counted up when the clock stands or goes back. */
  #extra = 0;
  #millis = -1;
  #prefix = '';

  /** @param now microseconds since the epoch. */
  constructor(now: () => number = nowMicros) {
    this.#now = now;
  }

  tick(): void {
    const now = this.#now();
    if (now > this.#micros || now < this.#micros - SET_BACK) {
      this.#micros = now;
      this.#extra = 0;
    } else if (++this.#extra === 1000) {
      this.#micros += 1;
      this.#extra = 0;
    }
  }

  /** RFC 3339 with nine digits: 30 characters. */
  text(): string {
    const millis = Math.floor(this.#micros / 1000);
    if (millis !== this.#millis) {
      this.#millis = millis;
      this.#prefix = new Date(millis).toISOString().slice(0, 23);
    }
    // A leading 1 keeps the zeros; it is cut off again.
    return `${this.#prefix}${String(1_000_000 + (this.#micros % 1000) * 1000 + this.#extra).slice(1)}Z`;
  }

  /** Nanoseconds since the epoch. */
  nanos(): bigint {
    return BigInt(this.#micros) * 1000n + BigInt(this.#extra);
  }
}
