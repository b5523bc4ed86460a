import { createInterface } from 'node:readline/promises';
import type { CommandContext } from './command.ts';

/** Asks before something is destroyed; anything but y is a no, the end of the input too. */
export async function confirm({ stdin, stdout }: CommandContext, warning: string): Promise<boolean> {
  stdout.write(`${warning}\nAre you sure you want to continue? [y/N] `);
  const reader = createInterface({ input: stdin });
  try {
    for await (const line of reader) return /^y$/i.test(line.trim());
    return false;
  } finally {
    reader.close();
  }
}
