import { createWriteStream } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';

/** Writes a file, which nobody else may read, so that what stands under its name is a whole one. */
export async function writeAside(body: NodeJS.ReadableStream, output: string): Promise<void> {
  const aside = `${output}.${process.pid}.tmp`;
  try {
    await pipeline(body, createWriteStream(aside, { mode: 0o600 }));
    await rename(aside, output);
  } finally {
    await rm(aside, { force: true });
  }
}
