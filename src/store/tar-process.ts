import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import type { Readable, Writable } from 'node:stream';
import { hasCode, internal, unavailable } from '../util/errors.ts';

/** Small pieces are gathered into writes of this size; a piece at least a quarter of it goes as it is. */
const GATHER = 256 * 1024;
const MAX_WORDS = 4096;

// The rewriter has made every name safe. Tar's own safety stays on nevertheless: it refuses `..`, and makes symbolic
// links that lead outside only after everything else has been written.
const ARGS = [
  '--extract',
  '--file=-',
  '--preserve-permissions',
  '--same-owner',
  '--numeric-owner',
  '--xattrs',
  '--xattrs-include=*',
  '--delay-directory-restore',
  '--blocking-factor=512',
  '--warning=no-timestamp',
  '--no-selinux',
];

/** Why tar could not be started in a directory: one that is gone looks to Node as a tar that is not there. */
export function spawnFailure(error: unknown, directory: string): unknown {
  if (!hasCode(error, 'ENOENT')) return error;
  if (!existsSync(directory)) return internal(`the directory ${directory} is gone`, error);
  return unavailable('the host tool "tar" is not installed', error);
}

/** GNU tar, unpacking into a directory what is written to it. */
export class TarProcess {
  readonly #child: ChildProcessByStdio<Writable, null, Readable>;
  readonly #exited: Promise<number>;
  #words = '';
  #gathered: Buffer = Buffer.allocUnsafe(GATHER);
  #filled = 0;
  #over = false;

  constructor(directory: string) {
    this.#child = spawn('tar', ARGS, {
      cwd: directory,
      stdio: ['pipe', 'ignore', 'pipe'],
      env: { PATH: process.env['PATH'], LC_ALL: 'C', TZ: 'UTC' },
    });
    this.#child.stderr.on('data', (chunk: Buffer) => {
      if (this.#words.length < MAX_WORDS) this.#words += chunk.toString();
    });
    // A tar that gave up closes its end; its words tell why.
    this.#child.stdin.on('error', () => {});
    this.#exited = this.#exit(directory);
    this.#exited.catch(() => {});
  }

  async #exit(directory: string): Promise<number> {
    try {
      const [code] = (await once(this.#child, 'close')) as [number | null];
      return code ?? -1;
    } catch (error) {
      throw spawnFailure(error, directory);
    } finally {
      this.#over = true;
    }
  }

  /** Hands bytes on; a promise when tar lags. @throws when tar has failed. */
  write(piece: Buffer): Promise<void> | undefined {
    if (piece.length >= GATHER / 4) return this.#direct(piece);
    if (this.#filled + piece.length > GATHER) {
      const gathered = this.#takeGathered();
      this.#filled = piece.copy(this.#gathered);
      return this.#send(gathered);
    }
    this.#filled += piece.copy(this.#gathered, this.#filled);
    return undefined;
  }

  async #direct(piece: Buffer): Promise<void> {
    if (this.#filled > 0) await this.#send(this.#takeGathered());
    await this.#send(piece);
  }

  #takeGathered(): Buffer {
    const gathered = this.#gathered.subarray(0, this.#filled);
    this.#gathered = Buffer.allocUnsafe(GATHER);
    this.#filled = 0;
    return gathered;
  }

  #send(bytes: Buffer): Promise<void> | undefined {
    if (!this.#over && this.#child.stdin.write(bytes)) return undefined;
    return this.#drained();
  }

  async #drained(): Promise<void> {
    const drained = Promise.withResolvers<void>();
    this.#child.stdin.once('drain', drained.resolve);
    try {
      await Promise.race([drained.promise, this.#exited]);
    } finally {
      this.#child.stdin.off('drain', drained.resolve);
    }
    if (this.#over) await this.finish();
  }

  /** Ends the input and waits until all is unpacked. @throws with tar's words. */
  async finish(): Promise<void> {
    if (this.#filled > 0 && !this.#over) this.#child.stdin.write(this.#takeGathered());
    this.#child.stdin.end();
    const code = await this.#exited;
    if (code !== 0) throw this.#failure(code);
  }

  #failure(code: number): Error {
    const lines = this.#words
      .split('\n')
      .filter((line) => line !== '' && !/Exiting with failure|not recoverable/.test(line));
    // When the disk fills up in the middle of a write, tar only tells how far it came.
    if (/No space left on device|Wrote only/.test(this.#words)) {
      return internal(
        `write ${/^tar: (.*): (?:Cannot|Wrote)/m.exec(this.#words)?.[1] ?? 'layer'}: no space left on device`,
      );
    }
    return internal(`unpacking the layer: ${lines.join('; ') || `tar: exit status ${code}`}`);
  }

  /** Ends tar, wherever it is; when this resolves it writes no more. */
  async stop(): Promise<void> {
    this.#child.stdin.destroy();
    if (!this.#over) this.#child.kill('SIGKILL');
    await this.#exited.catch(() => {});
  }
}
