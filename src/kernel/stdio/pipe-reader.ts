import { closeSync, constants, openSync, readSync } from 'node:fs';
import { Socket } from 'node:net';
import { hasCode } from '../../util/errors.ts';
import type { PipeReader } from './io-pool.ts';

/** What a pipe holds by default: one read empties it. */
const PIPE_BYTES = 64 << 10;

/** Every read lands here first, so that an idle pipe costs no buffer; reading and copying out happen in one tick. */
const landing = Buffer.allocUnsafeSlow(PIPE_BYTES);

/**
 * Opens the reading end of an output FIFO.
 *
 * It is opened for writing too, so that it never ends; and non-blocking, read through the event loop, because `fs`
 * reads would hold a thread each.
 *
 * @throws a system error when the FIFO does not exist.
 */
export function openPipeReader(path: string): PipeReader {
  return new FifoReader(openSync(path, constants.O_RDWR | constants.O_NONBLOCK));
}

class FifoReader implements PipeReader {
  readonly #fd: number;
  #listener: (chunk: Buffer) => void = () => {};
  #socket: Socket | undefined;
  #closed = false;

  constructor(fd: number) {
    this.#fd = fd;
  }

  onData(listener: (chunk: Buffer) => void): void {
    this.#listener = listener;
    if (this.#socket !== undefined || this.#closed) return;
    const onread = { buffer: landing, callback: (length: number) => this.#deliver(length) };
    this.#socket = new Socket({ fd: this.#fd, readable: true, writable: false, onread });
    // A FIFO we hold open ourselves does not break; should reading fail, `drain` meets the error.
    this.#socket.on('error', () => {});
    this.#socket.resume();
  }

  pause(): void {
    this.#socket?.pause();
  }

  resume(): void {
    this.#socket?.resume();
  }

  drain(): void {
    while (!this.#closed) {
      const length = readAvailable(this.#fd);
      if (length === 0) return;
      this.#deliver(length);
    }
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    if (this.#socket === undefined) closeSync(this.#fd);
    else this.#socket.destroy();
  }

  #deliver(length: number): boolean {
    if (!this.#closed) this.#listener(Buffer.from(landing.subarray(0, length)));
    return true;
  }
}

/** Fills `landing` from a non-blocking descriptor; 0 when it is empty. */
function readAvailable(fd: number): number {
  try {
    return readSync(fd, landing, 0, PIPE_BYTES, null);
  } catch (error) {
    if (hasCode(error, 'EAGAIN')) return 0;
    throw error;
  }
}
