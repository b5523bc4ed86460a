import type { Client } from '../client/client.ts';
import type { FlagSpec } from './flags/flag-spec.ts';
import type { ParsedFlags } from './flags/parse-flags.ts';

/** The process's own streams and surroundings, as commands see them. */
export interface Surroundings {
  stdin: NodeJS.ReadStream;
  stdout: NodeJS.WriteStream;
  stderr: NodeJS.WriteStream;
  env: Readonly<Record<string, string | undefined>>;
}

/** What a command works with. */
export interface CommandContext extends Surroundings {
  /** The command's whole name, e.g. `gantry container ls`. */
  path: string;
  /** This program's version. */
  version: string;
  debug: boolean;
  /** Directory of the client's own settings, `~/.docker` unless told otherwise. */
  configDir: string;
  client: Client;
  /** Writes to standard output / standard error. */
  out: (text: string) => void;
  err: (text: string) => void;
}

/** One command of the command line. */
export interface Command {
  /** What follows the name in the usage line, e.g. `[OPTIONS] CONTAINER`. */
  use: string;
  /** One sentence for help texts. */
  short: string;
  /** All names this command has, without the program's. */
  aliases?: readonly string[];
  /** How many words besides flags: at least, at most. */
  args: readonly [min: number, max: number];
  flags: readonly FlagSpec[];
  /** Flags may follow other words too; off where the words are a command of their own. Default: yes. */
  interspersed?: boolean;
  /** Gives the exit status. */
  run(context: CommandContext, flags: ParsedFlags): Promise<number>;
}

/** Ends the program with a status; an empty message prints nothing. */
export class ExitError extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.name = 'ExitError';
    this.status = status;
  }
}
