import type { ContainerConfig } from '../../spec/container.ts';
import type { ImageConfig } from '../../spec/image.ts';
import { mediaTypes } from '../../spec/manifest.ts';
import { familiarString, type ImageReference, parseReference, tagNameOnly, withTag } from '../../spec/reference.ts';
import type { Layer } from '../../store/layers.ts';
import type { Lease } from '../../store/lease.ts';
import { digestOf } from '../../util/digest.ts';
import { invalid } from '../../util/errors.ts';
import { TAR_END } from '../../util/tar/tar-writer.ts';
import { nowRfc3339Nano } from '../../util/time.ts';
import type { Events } from '../engine.ts';
import { refuseBuiltin } from './builtin-name.ts';
import type { StoredImage } from './catalogue.ts';
import type { Collection } from './collection.ts';
import { configFields } from './docker-config.ts';
import { emitImage } from './image-event.ts';
import { putConfig } from './put-config.ts';

/** An image to be made of another and what a container changed of it. */
export interface CommitRequest {
  readonly parent: StoredImage;
  readonly reference: ImageReference | undefined;
  readonly containerId: string;
  readonly containerConfig: ContainerConfig;
  /** What the image says of containers. */
  readonly config: ContainerConfig;
  readonly author: string;
  readonly comment: string;
  /** Version of the engine. */
  readonly version: string;
  /** The new layer's archive. */
  readonly layer: AsyncIterable<Uint8Array>;
  readonly signal: AbortSignal;
}

/** The digest of an archive without a member: a difference that is none makes no layer. */
const NOTHING = digestOf(TAR_END);

/** The name of a new image, checked. @throws `invalid` in Docker's words. */
export function commitTarget(repo: string, tag: string): ImageReference | undefined {
  if (repo === '') return undefined;
  const named = parseReference(repo);
  if (named.digest !== undefined) throw invalid('refusing to create a tag with a digest reference');
  const target = tag === '' ? named : withTag(named, tag);
  refuseBuiltin(target);
  return tagNameOnly(target);
}

/** Makes the image, all or nothing, and gives its id. Durable on return. */
export async function commitImage(collection: Collection, events: Events, request: CommitRequest): Promise<string> {
  const { reference, signal } = request;
  await using lease = collection.store.lease();
  const blob = await lease.ingest(request.layer, { mediaType: mediaTypes.ociLayer, signal });
  const diffId = blob.digest === NOTHING ? undefined : blob.digest;
  const layers = await stack(collection, lease, request, diffId);
  const made = await putConfig(collection.store.content, lease, layers, imageConfig(request, diffId));
  const image = { ...made, parent: request.parent.id };
  await collection.add(lease, [{ image, manifestMade: true, tags: reference === undefined ? [] : [reference] }]);
  if (reference !== undefined) {
    emitImage(events, 'tag', image.id, familiarString(reference), collection.catalogue.byId(image.id));
  }
  // The archive that made no layer.
  if (diffId === undefined) await collection.collect();
  return image.id;
}

function stack(
  { store }: Collection,
  lease: Lease,
  { parent, signal }: CommitRequest,
  diffId: string | undefined,
): Promise<Layer[]> {
  const top = parent.chainIds.at(-1);
  const below = top === undefined ? [] : store.layers.chain(top);
  const sources = below.map((layer) => ({ blob: layer.blob, diffId: layer.diffId }));
  return lease.unpack(diffId === undefined ? sources : [...sources, { blob: diffId, diffId }], signal);
}

/** As dockerd writes it: the fields in order of their names. */
function imageConfig(request: CommitRequest, diffId: string | undefined): Buffer {
  const { parent, author, comment, config, containerId, containerConfig, version } = request;
  const { architecture, os, variant, rootfs } = parent.config;
  const created = nowRfc3339Nano();
  const step = {
    created,
    ...(author === '' ? {} : { author }),
    created_by: (containerConfig.Cmd ?? []).join(' '),
    ...(comment === '' ? {} : { comment }),
    ...(diffId === undefined ? { empty_layer: true } : {}),
  };
  const told = {
    architecture,
    ...(author === '' ? {} : { author }),
    config: configFields(config),
    container: containerId,
    container_config: configFields(containerConfig),
    created,
    docker_version: version,
    history: [...parent.config.history.map(historyStep), step],
    os,
    rootfs: { type: 'layers', diff_ids: diffId === undefined ? rootfs.diff_ids : [...rootfs.diff_ids, diffId] },
    ...(variant === '' ? {} : { variant }),
  };
  return Buffer.from(JSON.stringify(told));
}

/** A step of the image below, without what it does not say. */
function historyStep(step: ImageConfig['history'][number]): Record<string, unknown> {
  return Object.fromEntries(Object.entries(step).filter(([, value]) => value !== '' && value !== false));
}
