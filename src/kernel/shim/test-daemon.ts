import { appendFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setInterval } from 'node:timers';
import { openTestHost } from './test-host.ts';

/**
 * What a daemon does, to be killed by a test: `node test-daemon.ts DIR COMMANDS`, where COMMANDS is JSON, id to arguments.
 * Every byte a container prints is appended to DIR/log-ID in the tick it is read; DIR/started.json tells what runs.
 */
const [dir = '', commands = '{}'] = process.argv.slice(2);
const host = await openTestHost({ dir, size: 2 });
const started: Record<string, object> = {};
for (const [id, args] of Object.entries(JSON.parse(commands) as Record<string, string[]>)) {
  const { task, pipes } = await host.create(id, { args });
  pipes.stdout.onData((chunk) => appendFileSync(join(dir, `log-${id}`), chunk));
  await task.start();
  started[id] = { shim: task.shim, pid: task.pid, paths: pipes.paths };
}
writeFileSync(join(dir, 'started.tmp'), JSON.stringify(started));
renameSync(join(dir, 'started.tmp'), join(dir, 'started.json'));
setInterval(() => {}, 60_000);
