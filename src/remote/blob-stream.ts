import type { IncomingMessage } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { mayPass, pauseBefore } from './connection.ts';
import { RegistryError } from './registry-error.ts';
import type { Repository } from './repository.ts';
import { Unreachable, unreachable } from './unreachable.ts';

export interface WantedBlob {
  readonly digest: string;
  /** Bytes. */
  readonly size: number;
}

/**
 * The bytes of a blob from `offset` on. A connection that breaks is taken up where it broke, as often as there is progress between; a server
 * that cannot give it is followed by the next one. Nothing is verified here: whoever stores it does that.
 *
 * @param repositories where it may be, in the order to try.
 * @throws `RegistryError`, `Unreachable` of the last one.
 */
export async function* blobStream(
  repositories: readonly Repository[],
  { digest, size }: WantedBlob,
  offset: number,
  signal: AbortSignal,
): AsyncGenerator<Buffer> {
  let at = offset;
  for (const [index, repository] of repositories.entries()) {
    const { retries } = repository.connection;
    for (let attempt = 1; at < size; attempt++) {
      let begun = false;
      try {
        const answer = await repository.blob(digest, at, signal);
        begun = true;
        for await (const piece of bytesOf(answer, repository, digest, at, signal)) {
          at += piece.length;
          attempt = 0;
          yield piece;
        }
        if (at < size) throw new Unreachable('unexpected EOF', true);
      } catch (error) {
        signal.throwIfAborted();
        // A request that got no answer has been tried often enough.
        if (begun && attempt < retries.attempts && mayPass(error)) {
          await sleep(pauseBefore(Math.max(attempt, 1), error, retries), undefined, { signal });
          continue;
        }
        if (index === repositories.length - 1) throw error;
        break;
      }
    }
  }
}

/** Those from `at` on, also when the server begins at the start. */
async function* bytesOf(
  answer: IncomingMessage,
  repository: Repository,
  digest: string,
  at: number,
  signal: AbortSignal,
): AsyncGenerator<Buffer> {
  try {
    let skip = answer.statusCode === 206 ? at - startOf(answer, at) : at;
    for await (const piece of answer as AsyncIterable<Buffer>) {
      const rest = piece.subarray(Math.min(skip, piece.length));
      skip -= piece.length - rest.length;
      if (rest.length > 0) yield rest;
    }
  } catch (error) {
    signal.throwIfAborted();
    throw error instanceof RegistryError
      ? error
      : unreachable(error, `reading ${digest}`, repository.connection.address(''));
  } finally {
    answer.destroy();
  }
}

/** Where a part begins (RFC 9110, section 14.4). */
function startOf({ headers }: IncomingMessage, wanted: number): number {
  const start = Number(/^bytes (\d+)-/.exec(headers['content-range'] ?? '')?.[1] ?? wanted);
  if (start > wanted) throw new RegistryError(206, '', 'the registry skipped a part of a blob');
  return start;
}
