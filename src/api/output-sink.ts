import type { Writable } from 'node:stream';
import type { OutputSink } from '../engine/engine.ts';
import { drained } from './drained.ts';
import { frameHeader } from './frames.ts';

/** Writes a process's output to a connection, framed unless it has a terminal. What comes after the connection's end is dropped. */
export function outputSink(to: Writable, framed: boolean): OutputSink {
  const gone = () => to.destroyed || to.writableEnded;
  return {
    write(stream, data) {
      if (gone()) return true;
      if (!framed) return to.write(data);
      to.cork();
      to.write(frameHeader(stream, data.length));
      const room = to.write(data);
      to.uncork();
      return room;
    },
    drained: () => drained(to),
  };
}
