import { Slots } from '../../util/slots.ts';

/** The restarts that are to come, one a container. Disposing of it drops them: rows tell the next daemon. */
export interface RestartTimers extends Disposable {
  /** Replaces the one that was there; nothing is scheduled before `begin`. Time is counted by a clock that nobody sets. */
  schedule(containerId: string, delayMs: number): void;
  cancel(containerId: string): void;
  /** From now on restarts may be made: what an earlier daemon left has been put in order. */
  begin(): void;
}

/** `start` is called when a delay is over and must not reject; no more than `atOnce` run at a time. */
export function openRestartTimers(start: (containerId: string) => Promise<void>, atOnce: number): RestartTimers {
  const timers = new Map<string, NodeJS.Timeout>();
  const slots = new Slots(atOnce);
  let open = false;
  const cancel = (id: string): void => {
    clearTimeout(timers.get(id));
    timers.delete(id);
  };
  // Its turn may come when nobody wants it any more.
  const startIfOpen = async (id: string): Promise<void> => {
    if (open) await start(id);
  };
  return {
    schedule: (id, delayMs) => {
      cancel(id);
      if (!open) return;
      const fire = (): void => {
        timers.delete(id);
        void slots.run(() => startIfOpen(id));
      };
      timers.set(id, setTimeout(fire, delayMs));
    },
    cancel,
    begin: () => {
      open = true;
    },
    [Symbol.dispose]: () => {
      open = false;
      for (const id of timers.keys()) cancel(id);
    },
  };
}
