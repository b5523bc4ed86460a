import { messageOf } from '../util/errors.ts';
import type { CommandContext } from './command.ts';

/**
 * Does the same to every name, several at once, and prints what `work` gives in the order of the names. Failures are
 * printed and the rest goes on; the status is 1 if any failed.
 */
export async function forEachName(
  context: CommandContext,
  names: readonly string[],
  work: (name: string) => Promise<string>,
): Promise<number> {
  const running = names.map((name) =>
    work(name).then(
      (text) => ({ text }),
      (error: unknown) => ({ error }),
    ),
  );
  let status = 0;
  for (const one of running) {
    const result = await one;
    if ('error' in result) {
      context.err(`${messageOf(result.error)}\n`);
      status = 1;
    } else if (result.text !== '') context.out(`${result.text}\n`);
  }
  return status;
}
