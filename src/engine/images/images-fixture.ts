import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { gzipSync } from 'node:zlib';
import { localRemote } from '../../remote/remote-fixture.ts';
import { mediaTypes } from '../../spec/manifest.ts';
import type { Store } from '../../store/store.ts';
import { openStore } from '../../store/store.ts';
import { digestOf } from '../../util/digest.ts';
import { silentLog } from '../../util/log.ts';
import { padding } from '../../util/tar/header.ts';
import { TAR_END } from '../../util/tar/tar-writer.ts';
import type { EngineEvent, Events, Progress } from '../engine.ts';
import { type EngineImages, openImages } from './images.ts';
import { plainHeader } from './plain-header.ts';

/** Images on a store of their own in a temporary directory. */
export interface ImagesFixture extends AsyncDisposable {
  readonly dataRoot: string;
  images: EngineImages;
  store: Store;
  readonly events: string[];
  /** What tests say containers use. */
  readonly users: Map<string, { running: string[]; stopped: string[] }>;
  /** What tests say has a lower directory mounted. */
  standingOn: (dir: string) => string[];
  close(): Promise<void>;
  /** Closes everything and opens it again, like a new start of the engine. */
  reopen(): Promise<void>;
  load(archive: Buffer | Readable, quiet?: boolean): Promise<Progress[]>;
}

export async function openImagesFixture(remote = localRemote()): Promise<ImagesFixture> {
  const dataRoot = await mkdtemp(join(tmpdir(), 'gantry-images-'));
  const events: string[] = [];
  const users = new Map<string, { running: string[]; stopped: string[] }>();
  const recorder: Events = {
    emit: ({ action, actor }: Omit<EngineEvent, 'timeNano'>) => {
      events.push(`${action} ${actor.attributes['name'] ?? actor.attributes['reclaimed']}`);
    },
    subscribe: () => {
      throw new Error('nobody listens here');
    },
  };
  const open = async (): Promise<{ store: Store; images: EngineImages }> => {
    const store = await openStore({ dataRoot, log: silentLog() });
    const inUse = (id: string) => users.get(id) ?? { running: [], stopped: [] };
    return {
      store,
      images: await openImages({
        store,
        events: recorder,
        inUse,
        standingOn: (dir) => fixture.standingOn(dir),
        remote,
        maxDownloads: 3,
        maxUploads: 5,
        log: silentLog(),
      }),
    };
  };
  let isOpen = true;
  const close = async (): Promise<void> => {
    if (isOpen) await fixture.store[Symbol.asyncDispose]();
    isOpen = false;
  };
  const fixture: ImagesFixture = {
    dataRoot,
    events,
    users,
    standingOn: () => [],
    ...(await open()),
    close,
    reopen: async () => {
      await close();
      Object.assign(fixture, await open());
      isOpen = true;
    },
    load: (archive, quiet = true) => {
      const source = Buffer.isBuffer(archive) ? Readable.from([archive]) : archive;
      return Array.fromAsync(fixture.images.load(source, { quiet, signal: new AbortController().signal }));
    },
    [Symbol.asyncDispose]: async () => {
      await close();
      await rm(dataRoot, { recursive: true, force: true });
    },
  };
  return fixture;
}

/** Nothing of what was begun is left, except in files whose names end in `except`. */
export function assertNothingStored({ store: { dirs } }: ImagesFixture, except?: string): void {
  for (const dir of [dirs.content, dirs.ingest, dirs.layers, dirs.links]) {
    const names = readdirSync(dir).filter((name) => except === undefined || !name.endsWith(except));
    assert.deepEqual(names, [], dir);
  }
}

/** A tar archive of files; a value of `{ link }` is a symbolic link. */
export function tarOf(files: Readonly<Record<string, string | Buffer | { link: string }>>): Buffer {
  const pieces = Object.entries(files).flatMap(([name, content]) => {
    if (typeof content === 'object' && 'link' in content) {
      return [plainHeader({ name, type: 'symlink', mode: 0o777, target: content.link })];
    }
    const body = Buffer.from(content);
    return [
      plainHeader({ name, type: 'file', mode: 0o644, size: body.length }),
      body,
      Buffer.alloc(padding(body.length)),
    ];
  });
  return Buffer.concat([...pieces, TAR_END]);
}

export interface MadeImage {
  readonly id: string;
  readonly config: Buffer;
  /** Uncompressed, lowest first. */
  readonly layers: Buffer[];
}

/** An image of one layer for each given set of files. */
export function imageOf(layers: Readonly<Record<string, string>>[], extra: object = {}): MadeImage {
  const archives = layers.map(tarOf);
  const config = Buffer.from(
    JSON.stringify({
      architecture: 'amd64',
      os: 'linux',
      created: '2024-01-02T03:04:05.678Z',
      config: { Cmd: ['x'], Labels: { made: 'here' } },
      rootfs: { type: 'layers', diff_ids: archives.map(digestOf) },
      history: layers.map((_, at) => ({ created: '2024-01-02T03:04:05Z', created_by: `step ${at}` })),
      ...extra,
    }),
  );
  return { id: digestOf(config), config, layers: archives };
}

/** The layout Docker wrote until version 24: `<id>/layer.tar`. */
export function dockerArchive(
  images: readonly { image: MadeImage; tags: string[] }[],
): Record<string, string | Buffer> {
  const files: Record<string, string | Buffer> = {};
  const manifest = images.map(({ image, tags }) => {
    const Config = `${image.id.slice(7)}.json`;
    files[Config] = image.config;
    const Layers = image.layers.map((layer) => `${digestOf(layer).slice(7)}/layer.tar`);
    for (const [at, name] of Layers.entries()) files[name] = image.layers[at] ?? '';
    return { Config, RepoTags: tags, Layers };
  });
  files['manifest.json'] = JSON.stringify(manifest);
  return files;
}

/** An OCI layout with gzipped layers. `wrap` puts the manifest into an index beside one for another platform. */
export function ociArchive(image: MadeImage, name: string | undefined, wrap = false): Record<string, string | Buffer> {
  const files: Record<string, string | Buffer> = { 'oci-layout': '{"imageLayoutVersion":"1.0.0"}' };
  const blob = (bytes: Buffer, mediaType: string) => {
    files[`blobs/sha256/${digestOf(bytes).slice(7)}`] = bytes;
    return { mediaType, digest: digestOf(bytes), size: bytes.length };
  };
  const json = (value: object): Buffer => Buffer.from(JSON.stringify(value));
  const layers = image.layers.map((layer) => blob(gzipSync(layer), `${mediaTypes.ociLayer}+gzip`));
  const config = blob(image.config, mediaTypes.ociConfig);
  const manifest = blob(
    json({ schemaVersion: 2, mediaType: mediaTypes.ociManifest, config, layers }),
    mediaTypes.ociManifest,
  );
  const foreign = { ...manifest, digest: digestOf('elsewhere'), platform: { os: 'linux', architecture: 'pdp11' } };
  const here = { ...manifest, platform: { os: 'linux', architecture: 'amd64' } };
  const top = wrap ? blob(json({ schemaVersion: 2, manifests: [foreign, here] }), mediaTypes.ociIndex) : manifest;
  const annotations = name === undefined ? {} : { 'io.containerd.image.name': name };
  files['index.json'] = json({ schemaVersion: 2, manifests: [{ ...top, annotations }] });
  return files;
}

export function xzCompress(bytes: Buffer): Buffer {
  return execFileSync('xz', ['-c'], { input: bytes });
}
