import type { Repositories } from '../../remote/remote.ts';
import type { Descriptor } from '../../spec/manifest.ts';
import type { Layer, LayerSource } from '../../store/layers.ts';
import type { Lease } from '../../store/lease.ts';
import type { Store } from '../../store/store.ts';
import { chainIdsOf } from '../../util/digest.ts';
import type { Slots } from '../../util/slots.ts';
import type { Progress } from '../engine.ts';
import { remoteBlob } from './remote-blob.ts';

/** How often a line tells how much of a layer has come, milliseconds. */
const INTERVAL_MS = 100;

export interface LayerFetch {
  readonly store: Store;
  readonly lease: Lease;
  readonly repositories: Repositories;
  /** Bounds what the whole daemon downloads at a time. */
  readonly slots: Slots;
  readonly signal: AbortSignal;
  readonly say: (line: Progress) => void;
}

/**
 * Brings the layers of an image here, lowest first: each is fetched, verified and unpacked on its own, and what is here already costs nothing.
 *
 * @param layers of the manifest, one for each diff id.
 */
export async function fetchLayers(
  fetch: LayerFetch,
  layers: readonly Descriptor[],
  diffIds: readonly string[],
): Promise<Layer[]> {
  const { store, lease, say, signal } = fetch;
  signal.throwIfAborted();
  const chainIds = chainIdsOf(diffIds);
  lease.hold(...chainIds, ...layers.map(({ digest }) => digest));
  // Of a layer that is unpacked already its archive may be lost.
  const lost = ({ digest }: Descriptor) => store.content.has(digest) && !store.content.intact(digest);
  const missing = new Set(
    layers
      .filter((layer, at) => store.layers.find(chainIds[at] ?? '') === undefined || lost(layer))
      .map(({ digest }) => digest),
  );
  for (const digest of new Set(layers.map((layer) => layer.digest))) {
    say({
      status: missing.has(digest) ? 'Pulling fs layer' : 'Already exists',
      progressDetail: {},
      id: lineOf(digest),
    });
  }
  const coming = new Map(
    layers.filter(({ digest }) => missing.has(digest)).map((layer) => [layer.digest, bring(fetch, layer)]),
  );
  // A layer that another pull is making is not waited for through what comes here.
  for (const arrival of coming.values()) arrival.catch(() => {});
  const sources = layers.map(({ digest }, at): LayerSource => {
    const ready = coming.get(digest);
    return { blob: digest, diffId: diffIds[at] ?? '', ...(ready === undefined ? {} : { ready }) };
  });
  const unpacked = lease.begin(sources).map(async (layer, at) => {
    const done = await layer;
    const digest = layers[at]?.digest ?? '';
    if (!store.content.intact(digest)) await coming.get(digest);
    if (missing.has(digest)) say({ status: 'Pull complete', progressDetail: {}, id: lineOf(digest) });
    return done;
  });
  return await Promise.all(unpacked);
}

const lineOf = (digest: string): string => digest.slice('sha256:'.length, 'sha256:'.length + 12);

async function bring({ lease, repositories, slots, signal, say }: LayerFetch, layer: Descriptor): Promise<void> {
  const { digest, size } = layer;
  const id = lineOf(digest);
  let told = 0;
  const heard = (bytes: number): void => {
    const now = performance.now();
    if (now - told < INTERVAL_MS) return;
    told = now;
    say({ status: 'Downloading', progressDetail: { current: bytes, total: size }, id });
  };
  if (slots.busy) say({ status: 'Waiting', progressDetail: {}, id });
  await slots.run(() => lease.fetch(remoteBlob(repositories, layer), signal, heard), signal);
  say({ status: 'Verifying Checksum', progressDetail: {}, id });
  say({ status: 'Download complete', progressDetail: {}, id });
  say({ status: 'Extracting', progressDetail: {}, id });
}
