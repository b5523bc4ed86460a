import { constants, openSync } from 'node:fs';
import { Socket } from 'node:net';
import { unavailable } from '../../util/errors.ts';
import type { PipeWriter } from './io-pool.ts';

/**
 * Opens the writing end of a stdin FIFO; for reading too, because nobody may have opened the other end yet.
 *
 * @throws a system error when the FIFO does not exist.
 */
export function openPipeWriter(path: string): PipeWriter {
  const fd = openSync(path, constants.O_RDWR | constants.O_NONBLOCK);
  const socket = new Socket({ fd, readable: false, writable: true });
  let failure: Error | undefined;
  socket.on('error', (error) => {
    failure = error;
  });
  return {
    write(data) {
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      const closed = (error?: Error | null) =>
        unavailable('the standard input of the process is closed', error ?? failure);
      if (socket.destroyed) return Promise.reject(closed());
      socket.write(data, (error) => (error ? reject(closed(error)) : resolve()));
      return promise;
    },
    close() {
      socket.destroy();
    },
  };
}
