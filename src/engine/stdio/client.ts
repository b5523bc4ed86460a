import type { AttachIo, OutputName } from '../engine.ts';

/** Why an attachment is over. */
export type AttachEnd = 'ended' | 'detached' | 'client-gone';

/** A request to join the streams of a process. */
export interface HubAttach extends AttachIo {
  /** Which outputs the sink gets; both by default. */
  stdout?: boolean;
  stderr?: boolean;
  /** Sends what the log holds first; the live output then follows without gap or repetition. */
  logs?: boolean;
  /** Key sequence that ends the attachment of a terminal; empty or undefined: ctrl-p,ctrl-q. */
  detachKeys?: string | undefined;
}

/** One attached client. */
export class Client {
  /** Live output goes to it; false while its replay runs. */
  live = false;
  over = false;
  readonly done = Promise.withResolvers<AttachEnd>();
  readonly #io: HubAttach;

  constructor(io: HubAttach) {
    this.#io = io;
  }

  get hasSink(): boolean {
    return this.#io.sink !== undefined;
  }

  wants(stream: OutputName): boolean {
    return this.#io.sink !== undefined && (this.#io[stream] ?? true);
  }

  /** False when it lags. @throws whatever its sink throws. */
  write(stream: OutputName, data: Buffer): boolean {
    return !this.wants(stream) || data.length === 0 || (this.#io.sink?.write(stream, data) ?? true);
  }

  async drained(): Promise<void> {
    await this.#io.sink?.drained();
  }

  end(how: AttachEnd): void {
    this.over = true;
    this.live = false;
    this.done.resolve(how);
  }
}
