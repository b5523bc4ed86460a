import * as v from 'valibot';
import { run } from '../../util/spawn.ts';
import type { RuntimeBinary } from '../shim/task-types.ts';

/** What an OCI runtime says it can do. Source: OCI runtime specification, features.md. */
const FeaturesSchema = v.object({ mountOptions: v.optional(v.array(v.string()), []) });
type Features = v.InferOutput<typeof FeaturesSchema>;

/** A runtime that hangs says nothing. */
const PATIENCE_MS = 10_000;

/** What runtimes can do, by the names that containers ask for. */
export interface RuntimeFeatures {
  /** Why it cannot make a whole tree of mounts read-only, in Docker's words; empty when it can, or is none of ours. */
  whyNoRecursiveReadOnly(name: string): Promise<string>;
}

/** Each is asked when it matters, and until it has answered once: a host that is short of something now may not be so the next time. */
export function runtimeFeatures(runtimes: ReadonlyMap<string, Pick<RuntimeBinary, 'binary'>>): RuntimeFeatures {
  const answers = new Map<string, Promise<Features | undefined>>();
  const featuresOf = async (binary: string): Promise<Features | undefined> => {
    const answer = answers.get(binary) ?? askFeatures(binary);
    answers.set(binary, answer);
    const features = await answer;
    if (features === undefined && answers.get(binary) === answer) answers.delete(binary);
    return features;
  };
  return {
    async whyNoRecursiveReadOnly(name) {
      const runtime = runtimes.get(name);
      if (runtime === undefined) return '';
      const features = await featuresOf(runtime.binary);
      const refusal = `rro is not supported by runtime ${JSON.stringify(name)}`;
      if (features === undefined) return `${refusal}: OCI features struct is not available`;
      return features.mountOptions.includes('rro') ? '' : refusal;
    },
  };
}

/** Undefined for a runtime that is too old to be asked, or cannot answer now. */
async function askFeatures(binary: string): Promise<Features | undefined> {
  try {
    const { stdout } = await run(binary, ['features'], { signal: AbortSignal.timeout(PATIENCE_MS) });
    return v.parse(FeaturesSchema, JSON.parse(stdout));
  } catch {
    return undefined;
  }
}
