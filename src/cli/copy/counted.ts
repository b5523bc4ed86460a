import type { CommandContext } from '../command.ts';
import { humanSize } from '../format/units.ts';

/** A stream that counts what passes. */
export function counted(source: AsyncIterable<Uint8Array>): { stream: AsyncIterable<Uint8Array>; bytes: () => number } {
  let bytes = 0;
  async function* stream(): AsyncGenerator<Uint8Array> {
    for await (const chunk of source) {
      bytes += chunk.length;
      yield chunk;
    }
  }
  return { stream: stream(), bytes: () => bytes };
}

/** Tells people, not scripts, what was copied. */
export function copyDone(context: CommandContext, { quiet }: { quiet: boolean }, bytes: number, to: string): void {
  if (quiet || !context.stderr.isTTY) return;
  context.err(`Successfully copied ${humanSize(bytes)} to ${to}\n`);
}
