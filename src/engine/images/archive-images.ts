import type { Platform } from '../../spec/image.ts';
import { ArchiveManifestSchema } from '../../spec/manifest.ts';
import { type ImageReference, parseReference } from '../../spec/reference.ts';
import { digestOf } from '../../util/digest.ts';
import { invalid, notFound } from '../../util/errors.ts';
import { type LayoutEntry, layoutEntries, ledBy } from './archive-layout.ts';
import { confined } from './archive-members.ts';
import { type ArchivedImage, checkedImage } from './archived-image.ts';
import { hostPlatform } from './host-platform.ts';
import { oldestImages } from './oldest-archive.ts';
import { choosePlatform, platformName, platformOf } from './platform-choice.ts';
import type { Spool } from './spool.ts';

/**
 * All images of an archive: docker-archive when it has a `manifest.json`, else an OCI layout; of an index all that are in it.
 *
 * @param platform take but the images for this one.
 * @throws `invalid`; `not-found` when there is none for the platform.
 */
export async function archivedImages(spool: Spool, platform: Platform | undefined): Promise<ArchivedImage[]> {
  const entries = await readEntries(spool);
  if (platform === undefined) return entries.flatMap((entry) => ledBy(entry, hostPlatform()));
  return entries.map((entry) => onlyFor(entry, platform));
}

async function readEntries(spool: Spool): Promise<LayoutEntry[]> {
  if (spool.has('manifest.json')) return await dockerEntries(spool);
  if (spool.has('index.json')) return await layoutEntries(spool, true);
  if (spool.has('repositories')) return (await oldestImages(spool)).map((image) => [image]);
  throw invalid('invalid archive: it has neither manifest.json nor index.json');
}

/** Source for the words: moby `daemon/containerd/image_exporter.go`. */
function onlyFor(entry: LayoutEntry, platform: Platform): ArchivedImage {
  const candidates = entry.map((image) => ({ image, platform: platformOf(image.config) }));
  const found = choosePlatform(candidates, platform)?.image;
  if (found === undefined) throw notFound(`requested platform (${platformName(platform)}) not found`);
  return { ...found, tags: entry.flatMap(({ tags }) => tags) };
}

/** By `manifest.json`, which names the images; the archive may be an OCI layout as well, which then tells more of them. */
async function dockerEntries(spool: Spool): Promise<LayoutEntry[]> {
  const layout = spool.has('index.json') ? await layoutEntries(spool, false) : [];
  const entries: LayoutEntry[] = [];
  for (const entry of await spool.json('manifest.json', ArchiveManifestSchema)) {
    const configBytes = await spool.bytes(confined(entry.Config));
    const layers = entry.Layers.map((path) => confined(path));
    const image = { ...checkedImage(configBytes, layers), tags: entry.RepoTags.map(tagOf) };
    entries.push(completed(spool, { ...image, manifest: undefined, index: undefined }, layout));
  }
  return entries;
}

/** The image with what the OCI half knows of it, when that tells of the very same bytes, and the others of its index. */
function completed(spool: Spool, image: ArchivedImage, layout: readonly LayoutEntry[]): LayoutEntry {
  const id = digestOf(image.configBytes);
  const bytesOf = ({ layers }: ArchivedImage): string => layers.map((path) => spool.find(path).digest).join();
  const isSame = (one: ArchivedImage): boolean => digestOf(one.configBytes) === id && bytesOf(one) === bytesOf(image);
  const entry = layout.find((one) => one.some(isSame));
  const same = entry?.find(isSame);
  if (entry === undefined || same === undefined) return [image];
  const others = entry.filter((one) => one !== same).map((one) => ({ ...one, tags: [] }));
  return [{ ...same, tags: image.tags }, ...others];
}

function tagOf(text: string): ImageReference {
  const reference = parseReference(text);
  if (reference.tag === undefined) throw invalid(`invalid tag ${JSON.stringify(text)}`);
  return { name: reference.name, tag: reference.tag };
}
