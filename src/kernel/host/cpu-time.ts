import { readFileSync } from 'node:fs';

/** Nanoseconds in one USER_HZ. */
const TICK = 10_000_000;
/** user, nice, system, idle, iowait, irq, softirq: what follows is counted in them already, or is another machine's. */
const FIELDS = 7;

/** The time of all processors together, idle or not, in nanoseconds, and how many there are. Source: proc(5) `/proc/stat`. */
export function cpuTime(text: string = readFileSync('/proc/stat', 'utf8')): { total: number; online: number } {
  const fields = (/^cpu +(.*)$/m.exec(text)?.[1] ?? '').split(' ').slice(0, FIELDS).map(Number);
  return { total: fields.reduce((sum, ticks) => sum + ticks, 0) * TICK, online: text.match(/^cpu\d+ /gm)?.length ?? 1 };
}
