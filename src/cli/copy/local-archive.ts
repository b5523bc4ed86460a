import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { hasCode } from '../../util/errors.ts';
import { spawnError } from '../../util/spawn.ts';
import { ExitError } from '../command.ts';
import { splitLast } from './copy-paths.ts';

/** What only GNU tar knows of. */
const KEEP_ALL = ['--numeric-owner', '--xattrs', '--xattrs-include=user.*', '--xattrs-include=security.capability'];
const linux = (...flags: string[]): string[] => (process.platform === 'linux' ? flags : []);

/** A local file or directory as an archive that begins with the last part of its path. Fails at its end when tar did. */
export async function* packLocal(path: string): AsyncGenerator<Uint8Array> {
  const { dir, base } = splitLast(path);
  const format = linux('--format=posix', '--pax-option=delete=atime,delete=ctime', '--sparse', ...KEEP_ALL);
  const child = spawn('tar', ['-cf', '-', ...format, '-C', dir, '--', base], { stdio: ['ignore', 'pipe', 'pipe'] });
  const done = ended(child, child.stderr);
  done.catch(() => {});
  try {
    yield* child.stdout;
    await done;
  } finally {
    child.kill();
  }
}

/** Unpacks an archive into a local directory, for the user who does it. Nothing is written outside of it. */
export async function unpackLocal(archive: AsyncIterable<Uint8Array>, directory: string): Promise<void> {
  const args = ['-xpf', '-', '--no-same-owner', ...linux(...KEEP_ALL, '--no-overwrite-dir'), '-C', directory];
  const child = spawn('tar', args, { stdio: ['pipe', 'ignore', 'pipe'] });
  const done = ended(child, child.stderr);
  const fed = pipeline(archive, child.stdin).catch((error: unknown) => {
    // tar's own words come with its exit status.
    if (!hasCode(error, 'EPIPE', 'ERR_STREAM_PREMATURE_CLOSE')) throw error;
  });
  const [result] = await Promise.allSettled([done, fed]);
  await fed;
  if (result.status === 'rejected') throw result.reason;
}

async function ended(child: ChildProcess, stderr: Readable): Promise<void> {
  let words = '';
  stderr.on('data', (chunk: Buffer) => {
    words += chunk.toString();
  });
  const [code] = (await once(child, 'close').catch((error: Error) => {
    throw spawnError('tar', error);
  })) as [number | null];
  const lines = words.split('\n').filter((line) => line !== '' && !/Removing leading|Exiting with/.test(line));
  if (code !== 0 && code !== null) throw new ExitError(1, lines.join('\n') || `tar: exit status ${code}`);
}
