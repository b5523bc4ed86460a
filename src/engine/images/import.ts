import { Readable } from 'node:stream';
import type { ContainerConfig } from '../../spec/container.ts';
import type { Platform } from '../../spec/image.ts';
import { mediaTypes } from '../../spec/manifest.ts';
import { familiarString, type ImageReference, parseReference, tagNameOnly, withTag } from '../../spec/reference.ts';
import type { Content } from '../../store/content.ts';
import type { Lease } from '../../store/lease.ts';
import { expand } from '../../util/compression.ts';
import { invalid } from '../../util/errors.ts';
import type { Events, Progress } from '../engine.ts';
import type { ImportOptions } from '../image-calls.ts';
import { refuseBuiltin } from './builtin-name.ts';
import type { StoredImage } from './catalogue.ts';
import { applyChanges } from './changes.ts';
import type { Collection } from './collection.ts';
import { dockerConfig, type NewConfig } from './docker-config.ts';
import { hostArchitecture } from './host-platform.ts';
import { emitImage } from './image-event.ts';
import { openRemoteFile, sourceAddress } from './import-source.ts';
import { ProgressFeed } from './progress-feed.ts';
import { putConfig } from './put-config.ts';

/** What was asked for, checked before a byte is read. */
interface Request {
  reference: ImageReference | undefined;
  config: ContainerConfig;
  platform: Platform;
}

/**
 * Makes an image of one file system archive. Yields its id, before that how much has come from elsewhere.
 *
 * @param source the archive, or where to fetch it.
 * @throws `invalid` in Docker's words; as `openRemoteFile`.
 */
export async function* importArchive(
  collection: Collection,
  events: Events,
  source: Readable | string,
  options: ImportOptions,
): AsyncGenerator<Progress> {
  const { reference, config, platform } = checkRequest(options);
  const { store, catalogue } = collection;
  await using lease = store.lease();
  const origin = typeof source === 'string' ? sourceAddress(source).href : '-';
  const digest =
    typeof source === 'string'
      ? yield* ingestRemote(sourceAddress(source), lease, options.signal)
      : await ingest(source, lease, options.signal);
  const image = await makeImage(store.content, lease, digest, {
    config,
    platform,
    created: new Date().toISOString(),
    comment: options.message === '' ? `Imported from ${origin}` : options.message,
  });
  await collection.add(lease, [{ image, manifestMade: true, tags: reference === undefined ? [] : [reference] }]);
  const added = catalogue.byId(image.id);
  if (reference !== undefined) emitImage(events, 'tag', image.id, familiarString(reference), added);
  emitImage(events, 'import', image.id, image.id, added);
  yield { status: image.id };
}

/** Makes a plain archive a blob; gives its digest. */
async function ingest(archive: Readable, lease: Lease, signal: AbortSignal): Promise<string> {
  const { chunks } = await expand(archive);
  return (await lease.ingest(chunks, { mediaType: mediaTypes.ociLayer, signal })).digest;
}

async function* ingestRemote(address: URL, lease: Lease, signal: AbortSignal): AsyncGenerator<Progress, string> {
  using file = await openRemoteFile(address, signal);
  yield { status: `Downloading from ${address.href}` };
  const feed = new ProgressFeed();
  const total = file.size === undefined ? {} : { total: file.size };
  async function* counted(): AsyncGenerator<Uint8Array> {
    let current = 0;
    for await (const piece of file.pieces()) {
      yield piece;
      current += piece.byteLength;
      feed.push({ status: 'Importing', progressDetail: { current, ...total } });
    }
  }
  const work = ingest(Readable.from(counted(), { objectMode: false }), lease, signal).finally(feed.end);
  work.catch(() => {});
  yield* feed;
  return await work;
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
