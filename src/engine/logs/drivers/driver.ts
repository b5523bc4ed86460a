import type { OutputName } from '../../engine.ts';
import type { LogSubject } from '../log-subject.ts';

/** One line of output, or one of the parts of a line that is longer than a record. */
export interface LogMessage {
  readonly stream: OutputName;
  /** Without its newline. */
  readonly line: Buffer;
  /** Nanoseconds since the epoch. */
  readonly time: bigint;
  /** Set for the parts of a long line: the same id for all of them, counted from 1. */
  readonly partial?: { readonly id: string; readonly ordinal: number; readonly last: boolean };
}

/** Where the messages of one container go. One message is sent at a time. */
export interface LogSink {
  /** Reaches the receiver, or says why it cannot be reached. A sink that was not connected connects with its first message. */
  connect(): Promise<void>;
  /** Resolves when the message has left; reconnects as the driver's options say. @throws when the message is lost. */
  send(message: LogMessage): Promise<void>;
  /** Lets go of the connection at once; a `send` under way fails. */
  close(): void;
}

export type LogOptions = Readonly<Record<string, string>>;

/** A driver that sends messages away. */
export interface LogDriver {
  /** Its options, but for those that every driver has. */
  readonly options: readonly string[];
  /** Checks the values, without any network. @throws `invalid` in Docker's words. */
  check(options: LogOptions): void;
  /** @throws what Docker says at the start of the container, such as for a tag that is no template. */
  open(options: LogOptions, subject: LogSubject): LogSink;
  /** What every line carries when it is read here, for a driver whose lines Docker reads from the receiver. */
  details?(options: LogOptions, subject: LogSubject): Record<string, string>;
  /** How many messages may wait before more of them are dropped, for a driver that was asked not to hold its container up. */
  asyncLimit?(options: LogOptions): number | undefined;
}

/** Options of every driver that labels its messages. */
export const LABEL_OPTIONS = ['labels', 'labels-regex', 'env', 'env-regex', 'tag'];
