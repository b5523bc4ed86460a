import * as v from 'valibot';
import { run } from '../../util/spawn.ts';

/** What an OCI runtime says it can do. Source: OCI runtime specification, features.md. */
const FeaturesSchema = v.object({ mountOptions: v.optional(v.array(v.string()), []) });
type Features = v.InferOutput<typeof FeaturesSchema>;

/** A runtime that hangs says nothing. */
const PATIENCE_MS = 10_000;
const asked = new Map<string, Promise<Features | undefined>>();

/** Why a runtime cannot make a whole tree of mounts read-only, in Docker's words; empty when it can. It is asked once. */
export async function whyNoRecursiveReadOnly(name: string, binary: string): Promise<string> {
  const known = asked.get(binary) ?? askFeatures(binary);
  asked.set(binary, known);
  const features = await known;
  const refusal = `rro is not supported by runtime ${JSON.stringify(name)}`;
  if (features === undefined) return `${refusal}: OCI features struct is not available`;
  return features.mountOptions.includes('rro') ? '' : refusal;
}

/** Undefined for a runtime that is too old to be asked. */
async function askFeatures(binary: string): Promise<Features | undefined> {
  try {
    const { stdout } = await run(binary, ['features'], { signal: AbortSignal.timeout(PATIENCE_MS) });
    return v.parse(FeaturesSchema, JSON.parse(stdout));
  } catch {
    return undefined;
  }
}
