import { firstError, kindOf, laterErrors, messageOf } from '../util/errors.ts';
import type { Exchange } from './exchange.ts';

/** Writes down why a request failed, and what of it could not be undone: the client is told the first only. */
export function reportError({ log, req }: Pick<Exchange, 'log' | 'req'>, error: unknown): void {
  const request = { method: req.method, url: req.url };
  for (const later of laterErrors(error)) {
    log.error('a request that failed was not undone', { ...request, error: later });
  }
  if (kindOf(error) === 'internal') log.error('request failed', { ...request, error: firstError(error) });
  else log.debug('request refused', { ...request, message: messageOf(error) });
}
