import type { Log } from '../../util/log.ts';
import { run } from '../../util/spawn.ts';
import type { AddressPool } from './addresses.ts';
import { type Cidr, macOf } from './ipv4.ts';
import { makeOwnedNetns } from './make-owned-netns.ts';
import { netnsName, serials, vethName } from './netns-names.ts';
import type { NetnsReaper } from './netns-reaper.ts';
import { type NetnsPlan, netnsScript } from './netns-script.ts';

/** A namespace ready for a container: `eth0` has its address, the default route is set. Used once, then removed. */
export interface Slot {
  readonly netns: string;
  readonly address: number;
  readonly mac: string;
}

export interface NetnsPoolOptions {
  /** Six hex digits of the engine. */
  tag: string;
  bridge: string;
  /** Address of the bridge, with the subnet's prefix length. */
  gateway: Cidr;
  addresses: AddressPool;
  reaper: NetnsReaper;
  /** The user namespace they belong to, as a file; undefined: the host's. */
  userns?: string | undefined;
  /** Numbers that names are made of; pools of one engine share them. */
  serial?: () => number;
  /** How many to keep ready. */
  size: number;
  log: Log;
}

/** One command makes at most so many, so that the first of a crowd does not wait for the last. */
const BATCH = 16;

/** Keeps namespaces ready, so that a container's start does not wait for one. Refills itself as they are taken. */
export class NetnsPool implements AsyncDisposable {
  readonly #options: NetnsPoolOptions;
  readonly #serial: () => number;
  readonly #ready: Slot[] = [];
  readonly #waiters: PromiseWithResolvers<Slot>[] = [];
  #refilling: Promise<void> | undefined;
  #closed = false;

  constructor(options: NetnsPoolOptions) {
    this.#options = options;
    this.#serial = options.serial ?? serials(options.tag);
    this.#refill();
  }

  /** The caller owns the slot: it removes the namespace and frees the address. */
  take(): Promise<Slot> {
    const ready = this.#ready.shift();
    const waiter = Promise.withResolvers<Slot>();
    if (ready === undefined) this.#waiters.push(waiter);
    else waiter.resolve(ready);
    this.#refill();
    return waiter.promise;
  }

  /** A namespace with nothing but `lo`. */
  async bare(): Promise<string> {
    const { tag, bridge, gateway } = this.#options;
    const serial = this.#serial();
    const plan = { netns: netnsName(tag, serial), veth: vethName(tag, serial), address: undefined };
    await this.#make([plan], bridge, gateway);
    return plan.netns;
  }

  /** Names of the namespaces that wait to be taken. */
  ready(): string[] {
    return this.#ready.map((slot) => slot.netns);
  }

  /** Resolves when no namespace is being made. */
  async settled(): Promise<void> {
    while (this.#refilling !== undefined) await this.#refilling;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    await this.settled();
    const idle = this.#ready.splice(0);
    await this.#options.reaper.remove(idle.map((slot) => slot.netns));
    for (const slot of idle) this.#options.addresses.free(slot.address);
  }

  #refill(): void {
    // Half of them at a time: making several together costs half as much each, and most starts then cause no work at all.
    const enough = this.#closed || this.#ready.length * 2 > this.#options.size;
    if (enough && this.#waiters.length === 0) return;
    this.#refilling ??= this.#refillOnce().finally(() => {
      this.#refilling = undefined;
      if (this.#missing() > 0 && this.#waiters.length > 0) this.#refill();
    });
  }

  #missing(): number {
    return this.#waiters.length + (this.#closed ? 0 : this.#options.size) - this.#ready.length;
  }

  async #refillOnce(): Promise<void> {
    // Lets a crowd that starts together gather, and the start that emptied the pool go ahead of the refill.
    await new Promise((resolve) => setImmediate(resolve));
    try {
      while (this.#missing() > 0) {
        const made = await this.#makeBatch(Math.min(this.#missing(), BATCH));
        if (made === 0) return;
      }
    } catch (error) {
      const waiters = this.#waiters.splice(0);
      for (const waiter of waiters) waiter.reject(error);
      if (waiters.length === 0) this.#options.log.warn('cannot make network namespaces ahead', { error });
    }
  }

  /** @returns how many were made: fewer than asked for when the subnet is nearly used up. */
  async #makeBatch(count: number): Promise<number> {
    const { tag, bridge, gateway, addresses } = this.#options;
    const slots: (NetnsPlan & Slot)[] = [];
    try {
      while (slots.length < count) {
        const address = addresses.take();
        const serial = this.#serial();
        slots.push({ netns: netnsName(tag, serial), veth: vethName(tag, serial), address, mac: macOf(address) });
      }
    } catch (error) {
      if (slots.length === 0 && this.#waiters.length > 0) throw error;
      if (slots.length === 0) return 0;
    }
    try {
      await this.#make(slots, bridge, gateway);
    } catch (error) {
      for (const slot of slots) addresses.free(slot.address);
      throw error;
    }
    for (const { netns, address, mac } of slots) this.#give({ netns, address, mac });
    return slots.length;
  }

  async #make(plans: readonly NetnsPlan[], bridge: string, gateway: Cidr): Promise<void> {
    const { userns } = this.#options;
    const names = plans.map(({ netns }) => netns);
    try {
      if (userns !== undefined) await makeOwnedNetns(userns, names);
      const script = netnsScript(plans, bridge, gateway, { there: userns !== undefined });
      await run('sh', ['-s'], { input: script });
    } catch (error) {
      await this.#options.reaper.remove(names);
      throw error;
    }
  }

  #give(slot: Slot): void {
    const waiter = this.#waiters.shift();
    if (waiter === undefined) this.#ready.push(slot);
    else waiter.resolve(slot);
  }
}
