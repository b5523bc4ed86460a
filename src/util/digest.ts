import { createHash } from 'node:crypto';
import { invalid } from './errors.ts';

const DIGEST = /^sha256:[0-9a-f]{64}$/;

/** True for `sha256:` and 64 lower-case hex digits, the only algorithm the engine stores. */
export function isDigest(text: string): boolean {
  return DIGEST.test(text);
}

/**
 * The hex part of a digest, safe as a file name.
 *
 * @throws `invalid` for another algorithm or shape.
 */
export function hexOf(digest: string): string {
  if (!isDigest(digest)) throw invalid(`invalid digest "${digest}": only sha256 with 64 hex digits is supported`);
  return digest.slice('sha256:'.length);
}

/** The digest of bytes held in memory. */
export function digestOf(bytes: string | Uint8Array): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}

/**
 * The name of a layer on top of `parent` (OCI image-spec, `config.md`, "Layer ChainID"): the same difference on
 * another parent is another layer.
 */
export function chainIdOf(parent: string | undefined, diffId: string): string {
  hexOf(diffId);
  return parent === undefined ? diffId : digestOf(`${parent} ${diffId}`);
}

/** Chain ids of a stack of layers, lowest first. */
export function chainIdsOf(diffIds: readonly string[]): string[] {
  const chain: string[] = [];
  for (const diffId of diffIds) chain.push(chainIdOf(chain.at(-1), diffId));
  return chain;
}
