import { killFamily } from '../../kernel/kill-family.ts';
import { endsWithin } from '../../util/ends-within.ts';
import { messageOf } from '../../util/errors.ts';
import { randomId } from '../../util/id.ts';
import { nowRfc3339Nano } from '../../util/time.ts';
import { emitContainer } from '../containers/container-events.ts';
import type { ProbeResult } from '../containers/model.ts';
import type { Parts } from '../containers/parts.ts';
import type { Tracked } from '../containers/tracked.ts';
import type { OutputSink } from '../engine.ts';
import { type Exec, newExec } from '../execs/exec.ts';
import { beginExec, commandOf } from '../execs/start-exec.ts';
import type { HealthPlan } from './health-plan.ts';

/** Bytes of output that are kept of a probe, both streams together. */
const KEPT_BYTES = 4096;
/** How long a killed probe may take to be gone before the next one is sent all the same. */
const LEAVE_MS = 10_000;

/**
 * Runs a container's health command once, as an exec of its own. It never rejects: what keeps the command from running is a
 * failure like any other. One that takes too long, or is still at it when `signal` fires, is killed with all its children.
 */
export async function runProbe(
  parts: Parts,
  tracked: Tracked,
  plan: HealthPlan,
  signal: AbortSignal,
): Promise<ProbeResult> {
  const { container } = tracked;
  const exec = newExec(randomId(), container.id, plan.request);
  const output = keepOutput();
  const start = nowRfc3339Nano();
  emitContainer(parts.events, container, `exec_create: ${commandOf(exec)}`, { execID: exec.id });
  container.execIds = [...container.execIds, exec.id];
  const client = { sink: output.sink, signal: new AbortController().signal, consoleSize: undefined };
  const begun = beginExec(parts, tracked, exec, client, { probe: true });
  const ended = begun.then(({ attached }) => attached);
  const done = ended.then(
    () => ({ exitCode: exec.exitCode ?? -1, output: output.text() }),
    (error: unknown) => ({ exitCode: -1, output: messageOf(error) }),
  );
  const inTime = await endsWithin(done, plan.timeout, signal);
  if (inTime) return { start, end: nowRfc3339Nano(), ...(await done) };
  await endProbe(begun, exec, done);
  const said = output.text();
  const verdict = `Health check exceeded timeout (${goDuration(plan.timeout)})${said === '' ? '' : `: ${said}`}`;
  return { start, end: nowRfc3339Nano(), exitCode: -1, output: verdict };
}

async function endProbe(begun: Promise<unknown>, exec: Exec, done: Promise<unknown>): Promise<void> {
  const killed = begun.then(() => (exec.running ? killFamily(exec.pid) : undefined));
  // One that did not even start has nothing to kill.
  killed.catch(() => {});
  await endsWithin(done, LEAVE_MS);
}

/** Takes in everything, so that a probe never waits for a reader, and keeps the beginning. */
function keepOutput(): { sink: OutputSink; text: () => string } {
  const kept: Buffer[] = [];
  let room = KEPT_BYTES;
  let cut = false;
  const write = (data: Buffer): boolean => {
    if (data.length > room) cut = true;
    if (room > 0) kept.push(Buffer.from(data.subarray(0, room)));
    room = Math.max(0, room - data.length);
    return true;
  };
  return {
    sink: { write: (_, data) => write(data), drained: async () => {} },
    text: () => `${Buffer.concat(kept).toString()}${cut ? '...' : ''}`,
  };
}

/** Milliseconds as Go prints a duration: `300ms`, `1m30s`. */
export function goDuration(ms: number): string {
  if (ms < 1000) return `${ms}ms`;
  const hours = Math.floor(ms / 3_600_000);
  const minutes = Math.floor(ms / 60_000) % 60;
  const seconds = `${(ms % 60_000) / 1000}s`;
  if (hours > 0) return `${hours}h${minutes}m${seconds}`;
  return minutes > 0 ? `${minutes}m${seconds}` : seconds;
}
