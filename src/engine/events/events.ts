import { nowNano } from '../../util/time.ts';
import type { EngineEvent, Events } from '../engine.ts';
import { matchEvent } from './match-event.ts';
import { Subscriber } from './subscriber.ts';

/** How many past events can be asked for, as in dockerd. */
const KEPT = 256;
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** The engine's events; `listeners` is how many readers it has now. */
export interface EventBus extends Events {
  readonly listeners: number;
}

type Query = Parameters<Events['subscribe']>[0];

/** Opens the bus. It keeps the last 256 events, in memory only. */
export function openEvents(): EventBus {
  const kept: EngineEvent[] = [];
  const subscribers = new Set<Subscriber>();
  const join = (query: Query): Subscriber => {
    const subscriber = new Subscriber();
    const { since, until } = query;
    // As in dockerd, `until` alone lists what was kept, too.
    // What comes from here on is told whatever its time is: somebody may set the clock.
    const past = since === undefined && until === undefined ? [] : kept.filter((event) => inTime(query, event));
    for (const event of past) subscriber.push(event);
    subscribers.add(subscriber);
    return subscriber;
  };
  return {
    get listeners() {
      return subscribers.size;
    },
    emit(event) {
      const complete: EngineEvent = { ...event, timeNano: nowNano() };
      kept.push(complete);
      if (kept.length > KEPT) kept.shift();
      for (const subscriber of subscribers) subscriber.push(complete);
    },
    // Joined when it is called, not when it is first read: a caller misses nothing that it causes itself.
    subscribe(query) {
      const subscriber = join(query);
      const leave = () => void subscribers.delete(subscriber);
      query.signal.addEventListener('abort', leave, { once: true });
      return read(subscriber, query, () => {
        leave();
        query.signal.removeEventListener('abort', leave);
      });
    },
  };
}

function inTime({ since, until }: Query, { timeNano }: EngineEvent): boolean {
  return (since === undefined || timeNano >= since) && (until === undefined || timeNano <= until);
}

async function* read(subscriber: Subscriber, query: Query, leave: () => void): AsyncGenerator<EngineEvent> {
  const close = () => subscriber.close();
  query.signal.addEventListener('abort', close);
  const timer = closeAt(query.until, close);
  if (query.signal.aborted) close();
  try {
    for (let batch = await subscriber.next(); batch !== undefined; batch = await subscriber.next()) {
      for (const event of batch) {
        if (query.signal.aborted) return;
        if (matchEvent(query.filters, event)) yield event;
      }
    }
  } finally {
    clearTimeout(timer);
    query.signal.removeEventListener('abort', close);
    leave();
  }
}

/** Ends a reader when its time has come: at once when that is past, and never when it is more than 24 days away. */
function closeAt(until: bigint | undefined, close: () => void): NodeJS.Timeout | undefined {
  if (until === undefined) return undefined;
  const milliseconds = Number((until - nowNano()) / 1_000_000n) + 1;
  if (milliseconds > LONGEST_TIMER_MS) return undefined;
  if (milliseconds > 0) return setTimeout(close, milliseconds);
  close();
  return undefined;
}
