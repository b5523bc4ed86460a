import type { LogDriver } from './driver.ts';
import { fluentd } from './fluentd.ts';
import { gelf } from './gelf.ts';
import { journald } from './journald.ts';
import { syslog } from './syslog.ts';

const DRIVERS: Readonly<Record<string, LogDriver>> = { fluentd, gelf, journald, syslog };

/** The names of the drivers that send messages away. */
export const REMOTE_DRIVERS: readonly string[] = Object.keys(DRIVERS);

/** The driver of that name that sends messages away; undefined for those that only keep files, and unknown ones. */
export function remoteDriver(name: string): LogDriver | undefined {
  return Object.hasOwn(DRIVERS, name) ? DRIVERS[name] : undefined;
}
