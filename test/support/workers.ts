import { readdirSync, readFileSync } from 'node:fs';
import type { TestEngine } from './gantry.ts';

/** Ids of the processes that an engine has working on files of its containers. */
export function fileWorkers(engine: TestEngine): string[] {
  return readdirSync('/proc').filter((pid) => {
    if (!/^\d+$/.test(pid)) return false;
    try {
      const parent = / (\d+) /.exec(readFileSync(`/proc/${pid}/stat`, 'utf8').replace(/^.*\) \S/, ''))?.[1];
      return Number(parent) === engine.pid() && readFileSync(`/proc/${pid}/cmdline`, 'utf8').startsWith('perl\0-e');
    } catch {
      return false;
    }
  });
}
