import type { Progress } from '../engine/engine.ts';
import { messageOf } from '../util/errors.ts';
import type { ReplyWriter } from './reply.ts';

const line = (value: unknown): string => `${JSON.stringify(value)}\r\n`;

/**
 * Sends the progress of a long call, one object per line. What fails before the first line is thrown, so that it can be a
 * status; what fails later is told in the stream itself.
 */
export async function sendProgress(steps: AsyncIterable<Progress>, reply: ReplyWriter): Promise<void> {
  const iterator = steps[Symbol.asyncIterator]();
  let step = await iterator.next();
  const body = reply.stream('application/json');
  try {
    for (; !step.done; step = await iterator.next()) await body.write(line(step.value));
  } catch (error) {
    const message = messageOf(error);
    await body.write(line({ errorDetail: { message }, error: message }));
  }
  body.end();
}
