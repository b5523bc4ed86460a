import assert from 'node:assert/strict';
import { join } from 'node:path';
import { chainIdsOf, hexOf } from '../../src/util/digest.ts';
import type { TestEngine } from './gantry.ts';

/** Where Gantry keeps the unpacked layers of an image, lowest first. */
export async function layerDirs(gantry: TestEngine, name: string): Promise<string[]> {
  const reply = await gantry.api('GET', `/images/${name}/json`);
  assert.equal(reply.status, 200, reply.text);
  const { RootFS } = reply.json<{ RootFS: { Layers: string[] } }>();
  return chainIdsOf(RootFS.Layers).map((chainId) => join(gantry.dataRoot, 'layers', hexOf(chainId), 'fs'));
}
