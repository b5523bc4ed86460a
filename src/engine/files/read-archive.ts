import { Readable } from 'node:stream';
import { type FoundFile, openWalk, statFile } from '../../kernel/files/walk.ts';
import { kindOf, notFound } from '../../util/errors.ts';
import { gathered } from '../../util/gathered.ts';
import { nameBytes, nameText } from '../../util/tar/entry.ts';
import { emitContainer } from '../containers/container-events.ts';
import type { Parts } from '../containers/parts.ts';
import type { Tracked } from '../containers/tracked.ts';
import type { PathStat } from '../engine.ts';
import { archiveName, containerPath, nameOfPath } from './container-path.ts';
import { holdFiles } from './hold-files.ts';
import { packFiles } from './pack.ts';

/** A container's path as a client asked for it, and how the client named the container. */
export interface AskedPath {
  readonly ref: string;
  readonly path: string;
  readonly signal: AbortSignal;
}

/** What is at a path, itself: a last symbolic link is not followed. @throws `not-found` in Docker's words. */
export async function statPath(parts: Parts, tracked: Tracked, asked: AskedPath): Promise<PathStat> {
  const { ref, path } = asked;
  await using held = await holdFiles(parts, tracked, 'all', asked.signal);
  try {
    return toPathStat(nameOfPath(path), await statFile(held.view, nameBytes(containerPath(path)), held.signal));
  } catch (error) {
    throw notThere(error, ref, path);
  }
}

/**
 * What is at a path, with all that is below it, as an archive. The container is let go when that ends.
 *
 * @throws `not-found` in Docker's words.
 */
export async function readArchive(
  parts: Parts,
  tracked: Tracked,
  asked: AskedPath,
): Promise<{ stat: PathStat; archive: Readable }> {
  await using undo = new AsyncDisposableStack();
  const held = undo.use(await holdFiles(parts, tracked, 'all', asked.signal));
  const name = nameOfPath(asked.path);
  const base = nameBytes(name);
  try {
    const { found, files } = undo.use(await openWalk(held.view, nameBytes(containerPath(asked.path)), held.signal));
    const archive = await begunArchive(
      packFiles(files, (path) => archiveName(base, path)),
      undo,
    );
    emitContainer(parts.events, tracked.container, 'archive-path');
    return { stat: toPathStat(name, found), archive };
  } catch (error) {
    throw notThere(error, asked.ref, asked.path);
  }
}

/**
 * An archive whose first piece has been made, so that what goes wrong before it can still be a status. `held` is let go
 * when the stream is closed, also when nobody has read it.
 */
export async function begunArchive(pieces: AsyncGenerator<Buffer>, held: AsyncDisposableStack): Promise<Readable> {
  const whole = gathered(pieces);
  const first = await whole.next();
  const stream = Readable.from(whole, { objectMode: false, highWaterMark: 1 << 20 });
  if (first.done !== true) stream.unshift(first.value);
  const kept = held.move();
  stream.once('close', () => void kept.disposeAsync());
  return stream;
}

/** A path that is not there, as Docker tells it. */
export function notThere(error: unknown, ref: string, path: string): unknown {
  return kindOf(error) === 'not-found' ? notFound(`Could not find the file ${path} in container ${ref}`, error) : error;
}

function toPathStat(name: string, { mode, size, mtime, linkTarget }: FoundFile): PathStat {
  return {
    name,
    size,
    mode,
    mtime: BigInt(mtime.seconds) * 1_000_000_000n + BigInt(mtime.nanos),
    linkTarget: nameText(linkTarget),
  };
}
