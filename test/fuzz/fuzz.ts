import { mkdirSync, writeFileSync } from 'node:fs';
import { Session } from 'node:inspector/promises';
import { join } from 'node:path';
import { digestOf, hexOf } from '../../src/util/digest.ts';
import { seeded } from '../../src/util/tar/tar-fixture.ts';
import { corpusOf, targets, varied } from './corpus.ts';
import type { FuzzTarget } from './fuzz-target.ts';

// Varies inputs and keeps what reaches code that nothing before it reached, by V8's own count of what ran.
// Usage: fuzz [SECONDS] [SEED]   for each target; what makes it misbehave is written to test/fuzz/found.

/** Inputs between two looks at the coverage, as a look costs as much as many inputs. */
const BATCH = 25;
/** Longer than any input of this size may take, milliseconds. */
const SLOW = 2_000;

/** Tells which ranges of the target's files ran since the last look. */
class Coverage {
  readonly #session = new Session();
  readonly #files: RegExp;
  readonly #seen = new Set<string>();

  constructor(files: RegExp) {
    this.#files = files;
  }

  async begin(): Promise<void> {
    this.#session.connect();
    await this.#session.post('Profiler.enable');
    await this.#session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: true });
  }

  /** How many ranges ran that never did before; they count as seen now when `note`. */
  async fresh(note: boolean): Promise<number> {
    const { result } = await this.#session.post('Profiler.takePreciseCoverage');
    let found = 0;
    for (const { url, functions } of result.filter((script) => this.#files.test(script.url))) {
      for (const { ranges } of functions) {
        for (const { startOffset, endOffset, count } of ranges) {
          // How often, roughly: a loop that ran a hundred times is another way than one that ran once.
          const key = `${url}:${startOffset}:${endOffset}:${Math.floor(Math.log2(count) / 3)}`;
          if (count === 0 || this.#seen.has(key)) continue;
          found++;
          if (note) this.#seen.add(key);
        }
      }
    }
    return found;
  }
}

/** @returns why an input makes a target misbehave; undefined when it does not. */
async function failure(target: FuzzTarget, input: Buffer): Promise<string | undefined> {
  const start = performance.now();
  try {
    await target.run(input);
  } catch (error) {
    return error instanceof Error ? (error.stack ?? error.message) : String(error);
  }
  const took = performance.now() - start;
  return took > SLOW ? `it took ${Math.round(took)} ms` : undefined;
}

async function fuzz(target: FuzzTarget, seconds: number, seed: number): Promise<number> {
  const below = seeded(seed);
  const inputs = [...target.seeds, ...corpusOf(target)];
  const pick = (): Buffer => inputs[below(inputs.length)] as Buffer;
  const coverage = new Coverage(target.files);
  await coverage.begin();
  for (const input of inputs) await target.run(input);
  await coverage.fresh(true);
  const reasons = new Set<string>();
  let tried = 0;
  for (const end = Date.now() + 1000 * seconds; Date.now() < end; tried += BATCH) {
    const batch = Array.from({ length: BATCH }, () => varied(target, pick(), pick(), below));
    for (const input of batch) {
      const reason = await failure(target, input);
      // The same place once.
      const place =
        reason
          ?.split('\n')
          .slice(0, 4)
          .join('\n')
          .replaceAll(/"[^"]*"|\d+/g, '') ?? '';
      if (reason === undefined || reasons.has(place)) continue;
      reasons.add(place);
      console.log(`${target.name}: ${keep(join(import.meta.dirname, 'found'), input)}\n${reason}`);
    }
    if ((await coverage.fresh(false)) === 0) continue;
    for (const input of batch) {
      await failure(target, input);
      if ((await coverage.fresh(true)) > 0) inputs.push(input);
    }
  }
  console.log(`${target.name}: ${tried} inputs, ${inputs.length} of them worth keeping, ${reasons.size} failures`);
  return reasons.size;
}

function keep(dir: string, input: Buffer): string {
  mkdirSync(dir, { recursive: true });
  const path = join(dir, hexOf(digestOf(input)).slice(0, 16));
  writeFileSync(path, input);
  return path;
}

const [seconds = 60, seed = Date.now() % 1_000_000] = process.argv.slice(2).map(Number);
console.log(`seed ${seed}`);
let failures = 0;
for (const target of targets) failures += await fuzz(target, seconds, seed);
process.exitCode = failures === 0 ? 0 : 1;
