import { internal } from '../../util/errors.ts';
import { blockSize, type Cidr, networkOf } from './ipv4.ts';

/**
 * The addresses of one subnet. Freed addresses are reused as late as possible, so that what others remember of an
 * address (connection tracking, neighbour tables, half-open connections) does not reach its next owner.
 */
export class AddressPool {
  readonly #base: number;
  readonly #size: number;
  readonly #taken = new Set<number>();
  #next: number;

  /** `subnet` may name any address in it; `gateway` is never handed out. */
  constructor(subnet: Cidr, gateway: number) {
    this.#base = networkOf(subnet).address;
    this.#size = blockSize(subnet.prefix);
    this.#next = 1;
    this.#taken.add(gateway);
  }

  /** @throws `internal` with Docker's text when none is free. */
  take(): number {
    for (let tries = 0; tries < this.#size; tries += 1) {
      const address = this.#base + this.#next;
      this.#next = this.#next >= this.#size - 2 ? 1 : this.#next + 1;
      if (this.#usable(address) && !this.#taken.has(address)) {
        this.#taken.add(address);
        return address;
      }
    }
    throw internal("no available IPv4 addresses on this network's address pools: bridge");
  }

  /** Marks an address that is in use already; false when it is not in the subnet or taken. */
  reserve(address: number): boolean {
    if (!this.#usable(address) || this.#taken.has(address)) return false;
    this.#taken.add(address);
    return true;
  }

  free(address: number): void {
    this.#taken.delete(address);
  }

  #usable(address: number): boolean {
    return address > this.#base && address < this.#base + this.#size - 1;
  }
}
