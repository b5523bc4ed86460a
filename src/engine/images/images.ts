import type { Remote } from '../../remote/remote.ts';
import type { Platform } from '../../spec/image.ts';
import { familiarString, parseAnyReference, parseReference, tagNameOnly, withTag } from '../../spec/reference.ts';
import type { Store } from '../../store/store.ts';
import { invalid, notFound } from '../../util/errors.ts';
import { KeyedLock } from '../../util/keyed-lock.ts';
import type { Log } from '../../util/log.ts';
import { Slots } from '../../util/slots.ts';
import type { Events, Image, Images, Progress } from '../engine.ts';
import type { RegistryRequest } from '../image-calls.ts';
import { ensureBusybox } from './builtin-busybox.ts';
import { BUILTIN_BUSYBOX, refuseBuiltin } from './builtin-name.ts';
import { checkImages } from './check-images.ts';
import { type Collection, openCollection } from './collection.ts';
import { type CommitRequest, commitImage } from './commit.ts';
import { historyOf } from './history.ts';
import { imageFor } from './image-for.ts';
import { manifestsOf } from './image-manifests.ts';
import { importArchive } from './import.ts';
import { listImages } from './list.ts';
import { loadArchive } from './load.ts';
import { openPins } from './pins.ts';
import { pruneImages } from './prune.ts';
import { pullImage } from './pull.ts';
import { pushImage } from './push.ts';
import { type Removal, type RemoveContext, removeImage, type Users } from './remove.ts';
import { removePlatforms } from './remove-platforms.ts';
import { saveImages } from './save.ts';
import { imagesUsage } from './usage.ts';

export interface ImagesOptions {
  readonly store: Store;
  readonly events: Events;
  /** Ids of the containers made of an image. */
  readonly inUse: (imageId: string) => Users;
  /** Ids of the containers that have a lower directory mounted, or are just having it mounted. */
  readonly standingOn: (lowerDir: string) => readonly string[];
  /** The host's static busybox; a test may name another. */
  readonly busybox?: string;
  readonly remote: Remote;
  /** How many layers are downloaded at a time. */
  readonly maxDownloads: number;
  readonly maxUploads: number;
  /** Of the engine, told in the images it makes. */
  readonly version?: string;
  readonly log: Log;
}

/** Images as the API and the containers see them. */
export interface EngineImages extends Images {
  /**
   * Like `get`, but assembles a built-in image that is asked for, and gives the name's own image where there is none for the platform.
   *
   * @throws `not-found`; `unavailable` without busybox.
   */
  resolve(ref: string, platform?: Platform): Promise<Image>;
  /** The image a container was made of, by its id: also one that was removed by force since. @throws `not-found`. */
  ofContainer(imageId: string): Image;
  /** Makes an image of that of a container and of what the container changed. @throws `not-found`. */
  commit(request: Omit<CommitRequest, 'parent' | 'version'> & { imageId: string }): Promise<string>;
  /** Directories of its layers for an overlay mount, top first, by short names. */
  lowerDirs(image: Image): string[];
  /** Keeps the layers of an image while a container is being made of it. */
  pin(imageId: string): Disposable;
  /**
   * Frees images that were removed by force and waited for their last container: to be called when a container is gone,
   * and once the containers are known after a start.
   */
  releaseUnused(): Promise<void>;
  /** From now on so many layers are transferred at a time. */
  limitTransfers(limits: Pick<ImagesOptions, 'maxDownloads' | 'maxUploads'>): void;
  /** Assembles `builtin/busybox` from the host's busybox, anew when that changed. @throws `unavailable` naming the package. */
  ensureBuiltin(): Promise<void>;
}

const BUSYBOX = '/bin/busybox';

/** Opens the images of a store. Everything that changes names is synchronous, so requests never see half a change. */
export async function openImages(options: ImagesOptions): Promise<EngineImages> {
  const { store, events, log } = options;
  const collection = await openCollection(store, log);
  const { catalogue } = collection;
  const pins = openPins();
  const locks = new KeyedLock();
  const downloads = new Slots(options.maxDownloads);
  const uploads = new Slots(options.maxUploads);
  const context: RemoveContext = { collection, events, inUse: options.inUse, pinned: pins.has };
  const ensureBuiltin = (): Promise<void> =>
    locks.run(BUILTIN_BUSYBOX, () => ensureBusybox(collection, options.busybox ?? BUSYBOX));

  const used = (imageId: string): boolean => {
    const { running, stopped } = options.inUse(imageId);
    return running.length + stopped.length > 0 || pins.has(imageId);
  };

  const pull = (request: RegistryRequest): AsyncIterable<Progress> =>
    pullImage({ collection, events, remote: options.remote, downloads }, request);

  return {
    ensureBuiltin,
    limitTransfers: ({ maxDownloads, maxUploads }) => {
      downloads.resize(maxDownloads);
      uploads.resize(maxUploads);
    },
    releaseUnused: () => collection.release(used),
    get: (ref, platform) => imageFor(collection, ref, platform),
    manifests: (image) => manifestsOf(collection, image),
    resolve: async (ref, platform) => {
      if (isBusybox(ref)) await ensureBuiltin();
      return (platform === undefined ? undefined : catalogue.resolveFor(ref, platform)) ?? catalogue.resolve(ref);
    },
    ofContainer: (imageId) => imageOfContainer(collection, imageId),
    commit: async ({ imageId, ...request }) => {
      const parent = collection.stored(imageId);
      if (parent === undefined) throw notFound(`No such image: ${imageId}`);
      return commitImage(collection, events, { ...request, parent, version: options.version ?? '' });
    },
    lowerDirs: ({ chainIds }) => {
      const top = chainIds.at(-1);
      return top === undefined ? [] : store.layers.lowerDirs(top);
    },
    pin: pins.pin,
    list: ({ filters, all }) => listImages(catalogue, filters, all),
    history: (ref, platform) =>
      historyOf(imageFor(collection, ref, platform), (chainId) => store.layers.get(chainId).size, catalogue.byId),
    usage: () => imagesUsage(catalogue.all(), (chainId) => store.layers.get(chainId).size),
    tag: async (ref, repo, tag) => {
      const image = catalogue.resolve(ref);
      const target = parseTarget(repo, tag);
      collection.setTag(target, image.id, catalogue.held(image.target?.digest ?? '')?.digest);
      events.emit({
        type: 'image',
        action: 'tag',
        actor: { id: image.id, attributes: { ...image.config.config.Labels, name: familiarString(target) } },
      });
    },
    remove: (ref, { force, noprune, platforms = [] }) => {
      const how = { force, prune: !noprune };
      return freeing(collection, () =>
        platforms.length === 0 ? removeImage(context, ref, how) : removePlatforms(context, ref, { ...how, platforms }),
      );
    },
    prune: (filters) => freeing(collection, () => pruneImages(context, filters)),
    load: (archive, request) => loadArchive(collection, events, archive, request),
    check: (request) =>
      checkImages({ ...context, remote: options.remote, standingOn: options.standingOn, pull }, request),
    pull,
    push: (request) => pushImage({ collection, events, remote: options.remote, uploads }, request),
    import: (source, request) => importArchive(collection, events, source, request),
    save: (request) => saveImages(collection, events, request),
  };
}

/** Frees the disk of what is removed; a removal that fails on the way may have come to that, too. */
async function freeing<T extends Removal>({ collect }: Collection, remove: () => T): Promise<T> {
  let freed = true;
  try {
    const removal = remove();
    freed = removal.deleted.length > 0;
    return removal;
  } finally {
    if (freed) await collect();
  }
}

function imageOfContainer({ catalogue, stored }: Collection, imageId: string): Image {
  const image = catalogue.byId(imageId);
  if (image !== undefined) return image;
  const removed = stored(imageId);
  if (removed === undefined) throw notFound(`No such image: ${imageId}`);
  return { ...removed, repoTags: [], repoDigests: [] };
}

function isBusybox(ref: string): boolean {
  const parsed = parseAnyReference(ref);
  if (typeof parsed === 'string') return false;
  return parsed.name === BUILTIN_BUSYBOX && parsed.digest === undefined && tagNameOnly(parsed).tag === 'latest';
}

/** Where a tag goes. @throws `invalid` in Docker's words. */
function parseTarget(repo: string, tag: string): { name: string; tag?: string } {
  const named = parseReference(repo);
  const target = tag === '' ? named : withTag(named, tag);
  if (target.digest !== undefined) throw invalid('refusing to create a tag with a digest reference');
  if (target.name === 'docker.io/library/sha256') {
    throw invalid('refusing to create an ambiguous tag using digest algorithm as name');
  }
  refuseBuiltin(target);
  return tagNameOnly(target);
}
