import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { documentsTarget } from './documents-target.ts';
import type { FuzzTarget } from './fuzz-target.ts';
import { layerTarget } from './layer-target.ts';

const MAX_INPUT = 16 * 1024;

export const targets: readonly FuzzTarget[] = [layerTarget, documentsTarget];

/** Inputs that once made a target misbehave. */
export function corpusOf({ name }: FuzzTarget): Buffer[] {
  const dir = join(import.meta.dirname, 'corpus', name);
  return readdirSync(dir).map((file) => readFileSync(join(dir, file)));
}

/** An input changed a few times. @param below a source of random numbers below a limit */
export function varied(target: FuzzTarget, from: Buffer, other: Buffer, below: (limit: number) => number): Buffer {
  let input = from;
  for (let times = 1 + below(4); times > 0; times--) input = target.mutate(input, other, below);
  return input.subarray(0, MAX_INPUT);
}
