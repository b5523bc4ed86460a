import { createServer } from 'node:net';
import { setTimeout } from 'node:timers/promises';
import { hasCode, unavailable } from '../../util/errors.ts';

/**
 * A lock that all engines of this host share. It is a socket in the abstract namespace: one holder at a time, gone
 * with its process, no file left behind.
 *
 * @throws `unavailable` when it is still held after `patience` milliseconds.
 */
export async function hostLock(name: string, patience = 20_000): Promise<AsyncDisposable> {
  const deadline = performance.now() + patience;
  for (;;) {
    const server = createServer((socket) => socket.destroy());
    const { promise, resolve } = Promise.withResolvers<Error | undefined>();
    server.once('error', resolve).listen(`\0gantry/${name}`, () => resolve(undefined));
    const error = await promise;
    if (error === undefined) {
      return { [Symbol.asyncDispose]: () => new Promise((done) => server.close(() => done())) };
    }
    if (!hasCode(error, 'EADDRINUSE')) throw error;
    if (performance.now() > deadline)
      throw unavailable(`another engine has held the lock "${name}" for too long`, error);
    await setTimeout(20);
  }
}
