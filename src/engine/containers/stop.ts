import { killGroupOf } from '../../kernel/cgroups/end-cgroup.ts';
import { parseSignal, signalNumber } from '../../spec/signals.ts';
import { endsWithin } from '../../util/ends-within.ts';
import { conflict, internal, kindOf, notModified } from '../../util/errors.ts';
import { cgroupsPath } from '../runtime-spec/runtime-spec.ts';
import { autoRemove } from './auto-remove.ts';
import { emitContainer } from './container-events.ts';
import { giveUpRestart } from './give-up-restart.ts';
import type { Container } from './model.ts';
import type { Parts } from './parts.ts';
import { unpauseContainer } from './pause.ts';
import { saveState } from './save-state.ts';
import type { Live, Tracked } from './tracked.ts';
import { isRunning } from './wait.ts';

const SIGKILL = 9;
/** How long the kernel may take to end a process after SIGKILL before we call it stuck. */
const KILL_GRACE_MS = 10_000;

export interface StopOptions {
  /** Undefined: the container's own timeout; negative: wait for ever. */
  seconds?: number;
  signal?: string;
}

/** Asks the process to end, waits, and kills it when it does not. @throws `not-modified` when nothing runs, `invalid` for an unknown signal. */
export async function stopContainer(parts: Parts, tracked: Tracked, options: StopOptions): Promise<void> {
  const { container } = tracked;
  if (!isRunning(tracked)) throw notModified('');
  if (options.signal) parseSignal(options.signal);
  markStopped(parts, tracked);
  if (!(await endsWithoutProcess(parts, tracked))) {
    await endProcess(parts, tracked, options);
    await giveUpRestart(parts, tracked);
  }
  emitContainer(parts.events, container, 'stop');
  await autoRemove(parts, tracked);
}

const signalOf = ({ container: { config } }: Tracked, { signal }: StopOptions): string =>
  signal || config.StopSignal || 'SIGTERM';

/** Ends the process and waits until that has been settled. Whether it was wanted down is for the caller to note. */
export async function endProcess(parts: Parts, tracked: Tracked, options: StopOptions): Promise<void> {
  const settled = tracked.live?.settled.promise ?? Promise.resolve();
  const seconds = options.seconds ?? tracked.container.config.StopTimeout ?? parts.defaults.stopTimeout;
  await sendSignal(parts, tracked, signalNumber(signalOf(tracked, options)));
  if (await endsWithin(settled, seconds < 0 ? Number.POSITIVE_INFINITY : seconds * 1000)) return;
  await endNow(parts, tracked, settled);
}

/**
 * A container that waits for its restart is stopped by giving that up. One that is being started at this moment has a process
 * afterwards, and it is noted once more that this one is to end.
 */
async function endsWithoutProcess(parts: Parts, tracked: Tracked): Promise<boolean> {
  if (tracked.container.state.status !== 'restarting') return false;
  if (await giveUpRestart(parts, tracked)) return true;
  markStopped(parts, tracked);
  return !isRunning(tracked);
}

async function endNow(parts: Parts, tracked: Tracked, settled: Promise<void>): Promise<void> {
  await sendSignal(parts, tracked, SIGKILL);
  if (!(await endsWithin(settled, KILL_GRACE_MS))) {
    throw internal(
      `cannot stop container: ${tracked.container.id}: tried to kill container, but did not receive an exit event`,
    );
  }
}

/** Sends a signal by name or number, as `docker kill` does. @throws `invalid` for an unknown one, `conflict` when nothing runs. */
export async function killContainer(parts: Parts, tracked: Tracked, signal: string): Promise<void> {
  const { container } = tracked;
  const number = parseSignal(signal === '' ? 'KILL' : signal);
  if (!isRunning(tracked)) {
    throw conflict(`Container ${container.id} is not running`);
  }
  const stops = number === SIGKILL || number === signalNumber(container.config.StopSignal || 'SIGTERM');
  if (stops) markStopped(parts, tracked);
  if (stops && (await endsWithoutProcess(parts, tracked))) return autoRemove(parts, tracked);
  const settled = tracked.live?.settled.promise ?? Promise.resolve();
  await sendSignal(parts, tracked, number);
  if (number !== SIGKILL) return;
  await endsWithin(settled, KILL_GRACE_MS);
  if (await giveUpRestart(parts, tracked)) await autoRemove(parts, tracked);
}

/** Remembers that a person wanted it down, before it goes down: restart policies and reboots respect that. */
function markStopped(parts: Parts, { container }: Tracked): void {
  container.state.stoppedByHand = true;
  saveState(parts, container);
}

async function sendSignal(parts: Parts, tracked: Tracked, signal: number): Promise<void> {
  const { container, live } = tracked;
  if (live === undefined) return;
  try {
    if (signal !== SIGKILL || !(await killsAtOnce(parts, container))) await live.task.kill(signal);
    if (container.state.status === 'paused' && signal === SIGKILL) await thaw(live);
  } catch (error) {
    // It ended between our look and the signal: that is what the caller wanted.
    if (!/no such process|process already finished|not found|process exited/i.test(String(error))) throw error;
  }
  emitContainer(parts.events, container, 'kill', { signal: String(signal) });
  if (container.state.status === 'paused' && thaws(signal, container.config.StopSignal))
    await unpauseToEnd(parts, tracked);
}

/** Where everything goes with the first process anyway, the kernel takes a fraction of what a call of the runtime does. */
async function killsAtOnce({ host }: Parts, container: Container): Promise<boolean> {
  const { state, hostConfig } = container;
  if (state.status !== 'running' || hostConfig.PidMode !== '') return false;
  return killGroupOf(state.pid, host.cgroup, cgroupsPath(container, host));
}

/** As in dockerd: a frozen process goes on to receive its stop signal, and when none was chosen for it, any signal. */
const thaws = (signal: number, stopSignal: string): boolean =>
  signal !== SIGKILL && (stopSignal === '' || signal === signalNumber(stopSignal));

/** It may have ended, or been thawed by somebody else. */
async function unpauseToEnd(parts: Parts, tracked: Tracked): Promise<void> {
  await unpauseContainer(parts, tracked).catch((error: unknown) => {
    if (kindOf(error) !== 'conflict') throw error;
  });
}

/** Lets a frozen process get its signal. Some runtimes have done so themselves by now, and the process may be gone. */
async function thaw({ task }: Live): Promise<void> {
  await task.resume().catch((error: unknown) => {
    if (!/not paused|not found|no such process|stopped|not running/i.test(String(error))) throw error;
  });
}
