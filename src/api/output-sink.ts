import type { Writable } from 'node:stream';
import type { OutputSink } from '../engine/engine.ts';
import { drained } from './drained.ts';
import { frameHeader } from './frames.ts';

/**
 * How many bytes may wait for a client before it counts as lagging. The stream's own mark is one chunk: with it every
 * write would stop and start the reading, though the socket takes a chunk at once.
 */
const LAG = 512 << 10;

/** Writes a process's output to a connection, framed unless it has a terminal. What comes after the connection's end is dropped. */
export function outputSink(to: Writable, framed: boolean): OutputSink {
  const gone = () => to.destroyed || to.writableEnded;
  return {
    write(stream, data) {
      if (gone()) return true;
      to.cork();
      if (framed) to.write(frameHeader(stream, data.length));
      to.write(data);
      to.uncork();
      return to.writableLength < LAG;
    },
    drained: () => drained(to),
  };
}
