import type { Readable } from 'node:stream';
import type { ContainerConfig } from '../../spec/container.ts';
import type { Platform } from '../../spec/image.ts';
import { mediaTypes } from '../../spec/manifest.ts';
import { familiarString, type ImageReference, parseReference, tagNameOnly, withTag } from '../../spec/reference.ts';
import type { Content } from '../../store/content.ts';
import type { Lease } from '../../store/lease.ts';
import { invalid } from '../../util/errors.ts';
import type { Events, Progress } from '../engine.ts';
import { refuseBuiltin } from './builtin-name.ts';
import type { StoredImage } from './catalogue.ts';
import { applyChanges } from './changes.ts';
import type { Collection } from './collection.ts';
import { decompress } from './decompress.ts';
import { dockerConfig, type NewConfig } from './docker-config.ts';
import { hostArchitecture } from './host-platform.ts';
import { emitImage } from './image-event.ts';
import { putConfig } from './put-config.ts';

export interface ImportOptions {
  repo: string;
  tag: string;
  message: string;
  changes: readonly string[];
  platform?: Platform;
  signal: AbortSignal;
}

/** What was asked for, checked before a byte is read. */
interface Request {
  reference: ImageReference | undefined;
  config: ContainerConfig;
  platform: Platform;
}

/** Makes an image of one file system archive. Yields its id. @throws `invalid` in Docker's words. */
export async function* importArchive(
  collection: Collection,
  events: Events,
  archive: Readable,
  options: ImportOptions,
): AsyncGenerator<Progress> {
  const { reference, config, platform } = checkRequest(options);
  const { store, catalogue } = collection;
  await using lease = store.lease();
  const plain = await decompress(archive, options.signal);
  const blob = await lease.ingest(plain, { mediaType: mediaTypes.ociLayer, signal: options.signal });
  const image = await makeImage(store.content, lease, blob.digest, {
    config,
    platform,
    created: new Date().toISOString(),
    comment: options.message === '' ? 'Imported from -' : options.message,
  });
  await collection.add(lease, [{ image, tags: reference === undefined ? [] : [reference] }]);
  const added = catalogue.byId(image.id);
  if (reference !== undefined) emitImage(events, 'tag', image.id, familiarString(reference), added);
  emitImage(events, 'import', image.id, image.id, added);
  yield { status: image.id };
}

function checkRequest({ repo, tag, changes, platform }: ImportOptions): Request {
  const reference = repo === '' ? undefined : parseReference(repo);
  if (reference?.digest !== undefined) throw invalid('cannot import digest reference');
  const named = reference === undefined || tag === '' ? reference : withTag(reference, tag);
  if (named !== undefined) refuseBuiltin(named);
  if (platform !== undefined && platform.os !== '' && platform.os !== 'linux') {
    throw invalid('operating system is not supported');
  }
  const architecture =
    platform?.architecture === undefined || platform.architecture === '' ? hostArchitecture() : platform.architecture;
  return {
    reference: named === undefined ? undefined : tagNameOnly(named),
    config: applyChanges(changes),
    platform: { ...platform, os: 'linux', architecture },
  };
}

/** Unpacks an uncompressed archive of the lease as the only layer of a new image, which is left to be added. */
export async function makeImage(
  content: Content,
  lease: Lease,
  blob: string,
  config: Omit<NewConfig, 'diffIds'>,
): Promise<StoredImage> {
  const layers = await lease.unpack([{ blob, diffId: blob }]);
  return putConfig(content, lease, layers, dockerConfig({ ...config, diffIds: [blob] }));
}
