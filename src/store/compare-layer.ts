import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { expand } from '../util/compression.ts';
import { TarReader } from '../util/tar/tar-reader.ts';
import { rewriteLayer } from './layer-rewriter.ts';
import { spawnFailure } from './tar-process.ts';

const MAX_WORDS = 64 * 1024;
const ARGS = ['--compare', '--file=-', '--numeric-owner', '--blocking-factor=512', '--warning=no-timestamp'];

/**
 * Compares an unpacked layer with its archive: kinds, modes, owners, times, targets and contents. Files that only the directory has are
 * not looked for.
 *
 * @returns what GNU tar finds, a line each; an archive that names a file twice makes it find something in a good layer, too.
 * @throws `invalid` for a bad archive; `unavailable` without tar.
 */
export async function compareLayer(
  archive: AsyncIterable<Uint8Array>,
  directory: string,
  signal: AbortSignal,
): Promise<string[]> {
  const { chunks } = await expand(archive);
  const reader = new TarReader(chunks);
  await using sink = new ComparingSink(directory);
  try {
    await rewriteLayer(reader, {
      write: (piece) => {
        signal.throwIfAborted();
        return sink.write(piece);
      },
      remove: () => sink.next(),
    });
    await reader.drain();
    return await sink.finish();
  } finally {
    await reader.close();
  }
}

/** Compares with one tar after another, as a layer is unpacked. */
class ComparingSink implements AsyncDisposable {
  readonly #directory: string;
  #tar: Comparing;
  #found: string[] = [];

  constructor(directory: string) {
    this.#directory = directory;
    this.#tar = new Comparing(directory);
  }

  write(piece: Buffer): Promise<void> | undefined {
    return this.#tar.write(piece);
  }

  async next(): Promise<void> {
    this.#found.push(...(await this.#tar.finish()));
    this.#tar = new Comparing(this.#directory);
  }

  async finish(): Promise<string[]> {
    return [...this.#found, ...(await this.#tar.finish())];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#tar.stop();
  }
}

class Comparing {
  readonly #child;
  readonly #exited: Promise<void>;
  #words = '';

  constructor(cwd: string) {
    this.#child = spawn('tar', ARGS, {
      cwd,
      stdio: 'pipe',
      env: { PATH: process.env['PATH'], LC_ALL: 'C', TZ: 'UTC' },
    });
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream.on('data', (chunk: Buffer) => {
        if (this.#words.length < MAX_WORDS) this.#words += chunk.toString();
      });
    }
    this.#child.stdin.on('error', () => {});
    this.#exited = once(this.#child, 'close').then(
      () => {},
      (error: unknown) => {
        throw spawnFailure(error, cwd);
      },
    );
    this.#exited.catch(() => {});
  }

  write(piece: Buffer): Promise<void> | undefined {
    if (this.#child.stdin.write(piece)) return undefined;
    // A tar that has ended takes nothing any more; what it said is what counts.
    return Promise.race([once(this.#child.stdin, 'drain').then(() => {}), this.#exited]);
  }

  async finish(): Promise<string[]> {
    this.#child.stdin.end();
    await this.#exited;
    return this.#words.split('\n').filter((line) => line !== '' && !/Exiting with failure/.test(line));
  }

  async stop(): Promise<void> {
    this.#child.stdin.destroy();
    this.#child.kill('SIGKILL');
    await this.#exited.catch(() => {});
  }
}
