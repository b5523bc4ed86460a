import type { Progress } from '../engine/engine.ts';
import { messageOf } from '../util/errors.ts';
import type { BodyStream, ReplyWriter } from './reply.ts';

const line = (value: unknown): string => `${JSON.stringify(value)}\r\n`;

/**
 * Sends the progress of a long call, one object per line. What fails before the first line is thrown, so that it can be a
 * status; what fails later is told in the stream itself.
 *
 * @param early `told`: the call answers 200 whatever happens, and even its first failure is told in the stream
 */
export async function sendProgress(
  steps: AsyncIterable<Progress>,
  reply: ReplyWriter,
  { early = 'status' }: { early?: 'status' | 'told' } = {},
): Promise<void> {
  const iterator = steps[Symbol.asyncIterator]();
  let body: BodyStream | undefined;
  try {
    for (let step = await iterator.next(); !step.done; step = await iterator.next()) {
      body ??= reply.stream('application/json');
      await body.write(line(step.value));
    }
  } catch (error) {
    if (body === undefined && early === 'status') throw error;
    body ??= reply.stream('application/json');
    const message = messageOf(error);
    await body.write(line({ errorDetail: { message }, error: message }));
  }
  body ??= reply.stream('application/json');
  body.end();
}
