import assert from 'node:assert/strict';
import { type LayerSink, rewriteLayer } from '../../src/store/layer-rewriter.ts';
import { kindOf } from '../../src/util/errors.ts';
import type { TarType } from '../../src/util/tar/entry.ts';
import { archiveOf, inPieces, type Member } from '../../src/util/tar/tar-fixture.ts';
import { TarReader } from '../../src/util/tar/tar-reader.ts';
import { TAR_END } from '../../src/util/tar/tar-writer.ts';
import { gnuArchiveOf } from '../support/gnu-archive.ts';
import { randomLayers } from '../support/random-layers.ts';
import type { FuzzTarget } from './fuzz-target.ts';
import { mutateArchive } from './mutate.ts';

/** What a plain tar is given: every name must lead through directories that were made before it, whatever came in. */
class CheckingSink implements LayerSink {
  #pieces: Buffer[] = [];
  readonly #placed = new Map<string, TarType>([['', 'directory']]);

  write(piece: Buffer): undefined {
    this.#pieces.push(Buffer.from(piece));
  }

  async remove(path: string): Promise<void> {
    await this.check();
    assert.ok(this.#placed.has(path), `removes ${JSON.stringify(path)}, which is not there`);
    for (const key of this.#placed.keys()) if (key === path || key.startsWith(`${path}/`)) this.#placed.delete(key);
  }

  async check(): Promise<void> {
    const reader = new TarReader(inPieces(Buffer.concat([...this.#pieces.splice(0), TAR_END]), 1 << 16));
    for (let entry = await reader.next(); entry !== undefined; entry = await reader.next()) {
      const path = entry.name.replace(/^\.?\/$/, '').replace(/\/$/, '');
      const parts = path.split('/');
      assert.ok(path === '' || !parts.some((part) => part === '' || part === '.' || part === '..'), `name ${path}`);
      for (let depth = 0; depth < parts.length; depth++) {
        const parent = parts.slice(0, depth).join('/');
        assert.equal(this.#placed.get(parent), 'directory', `${JSON.stringify(path)} is made below ${parent}`);
      }
      if (entry.type === 'link') {
        const target = this.#placed.get(entry.linkName);
        assert.ok(target !== undefined && target !== 'directory', `a link to ${JSON.stringify(entry.linkName)}`);
      }
      const before = this.#placed.get(path);
      assert.ok(before !== 'symlink', `${JSON.stringify(path)} is written where a symbolic link is`);
      assert.ok(before !== 'directory' || entry.type === 'directory', `${JSON.stringify(path)} is a directory`);
      for (const name of entry.xattrs.keys()) {
        assert.ok(name === 'trusted.overlay.opaque' || !/^(?:trusted|user)\.overlay\./.test(name), name);
      }
      this.#placed.set(path, entry.type);
    }
  }
}

const tricky: Member[] = [
  { name: 'a/', type: 'directory', mode: 0o755 },
  { name: 'a/l', type: 'symlink', linkName: '../b' },
  { name: 'a/l/f', data: 'x' },
  { name: 'h', type: 'link', linkName: 'a/l/f' },
  { name: 'a/.wh.gone' },
  { name: 'a/.wh..wh..opq' },
  { name: 'a', data: 'file now', xattrs: new Map([['trusted.overlay.opaque', Buffer.from('y')]]) },
  { name: 'c', type: 'symlink', linkName: '/' },
  { name: 'c/d', type: 'char', devMajor: 1, devMinor: 3 },
  { name: 's', data: 'abcde', size: 5, sparse: { realSize: 30, segments: [{ offset: 10, length: 5 }] } },
];

/** Any bytes at all as a layer: refused as `invalid`, or turned into an archive that any tar may unpack. */
export const layerTarget: FuzzTarget = {
  name: 'layer',
  files: /\/src\/(?:util\/tar|store)\//,
  seeds: [archiveOf(tricky), gnuArchiveOf(tricky), archiveOf(randomLayers(1, 1)[0]?.slice(0, 12) ?? [])],
  mutate: mutateArchive,
  run: async (input) => {
    const sink = new CheckingSink();
    try {
      await rewriteLayer(new TarReader(inPieces(input, 700)), sink);
    } catch (error) {
      if (kindOf(error) !== 'invalid' || error instanceof assert.AssertionError) throw error;
    }
    await sink.check().catch((error: unknown) => {
      // What was cut off in the middle of a member is never unpacked to its end.
      if (error instanceof assert.AssertionError || kindOf(error) !== 'invalid') throw error;
    });
  },
};
