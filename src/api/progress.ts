import type { Progress } from '../engine/engine.ts';
import { messageOf } from '../util/errors.ts';
import type { Exchange } from './exchange.ts';
import type { BodyStream, ReplyWriter } from './reply.ts';
import { reportError } from './report-error.ts';

const line = (value: unknown): string => `${JSON.stringify(value)}\r\n`;

/**
 * Sends the progress of a long call, one object per line. What fails before the first line is thrown, so that it can be a
 * status; what fails later is told in the stream itself.
 *
 * @param early `told`: the call answers 200 whatever happens, and even its first failure is told in the stream
 */
export async function sendProgress(
  x: Pick<Exchange, 'log' | 'req'>,
  steps: AsyncIterable<Progress>,
  reply: ReplyWriter,
  { early = 'status' }: { early?: 'status' | 'told' } = {},
): Promise<void> {
  let opened: BodyStream | undefined;
  const body = () => (opened ??= reply.stream('application/json'));
  try {
    for await (const step of steps) await body().write(line(step));
  } catch (error) {
    if (opened === undefined && early === 'status') throw error;
    reportError(x, error);
    const message = messageOf(error);
    await body().write(line({ errorDetail: { message }, error: message }));
  }
  body().end();
}
