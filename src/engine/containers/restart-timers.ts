/** The restarts that are to come, one timer a container. Disposing of it drops the timers: rows tell the next daemon. */
export interface RestartTimers extends Disposable {
  /** Replaces the one that was there. Time is counted by a clock that nobody sets. */
  schedule(containerId: string, delayMs: number): void;
  cancel(containerId: string): void;
}

/** `start` is called when a delay is over and must not reject. */
export function openRestartTimers(start: (containerId: string) => Promise<void>): RestartTimers {
  const timers = new Map<string, NodeJS.Timeout>();
  let closed = false;
  const cancel = (id: string): void => {
    clearTimeout(timers.get(id));
    timers.delete(id);
  };
  return {
    schedule: (id, delayMs) => {
      cancel(id);
      if (closed) return;
      const fire = (): void => {
        timers.delete(id);
        void start(id);
      };
      timers.set(id, setTimeout(fire, delayMs));
    },
    cancel,
    [Symbol.dispose]: () => {
      closed = true;
      for (const id of timers.keys()) cancel(id);
    },
  };
}
