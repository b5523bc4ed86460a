import type { LogEntry } from '../../engine/engine.ts';
import { queryEscape } from '../../util/query-escape.ts';

/** A log entry as `docker logs` prints it, with the details and time that were asked for in front. */
export function logLine(entry: LogEntry, o: { timestamps: boolean; details: boolean }): Buffer {
  if (!o.timestamps && !o.details) return entry.data;
  const details = Object.entries(entry.attrs)
    .map(([key, value]) => `${queryEscape(key)}=${queryEscape(value)}`)
    .toSorted()
    .join(',');
  const prefix = `${o.timestamps ? `${entry.time} ` : ''}${o.details ? `${details} ` : ''}`;
  return Buffer.concat([Buffer.from(prefix), entry.data]);
}
