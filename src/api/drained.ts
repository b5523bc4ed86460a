import type { Writable } from 'node:stream';

/** Resolves when a stream can take more or is closed. It leaves no listener behind: a long answer waits here many times. */
export function drained(to: Writable): Promise<void> {
  if (to.destroyed || to.writableEnded || !to.writableNeedDrain) return Promise.resolve();
  const { promise, resolve } = Promise.withResolvers<void>();
  const done = () => {
    to.off('drain', done).off('close', done);
    resolve();
  };
  to.on('drain', done).on('close', done);
  return promise;
}
