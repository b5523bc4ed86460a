import { type ImageConfig, ImageConfigSchema } from '../../spec/image.ts';
import type { ImageReference } from '../../spec/reference.ts';
import { invalid } from '../../util/errors.ts';
import { parseJson } from './parse-json.ts';

/** An image found in an archive; its layers are members of the spool. */
export interface ArchivedImage {
  readonly config: ImageConfig;
  /** The config as it came: its digest is the image's id. */
  readonly configBytes: Buffer;
  /** Names of the members, lowest layer first, one for each diff id. */
  readonly layers: readonly string[];
  readonly tags: readonly ImageReference[];
  /** The manifest as it came. */
  readonly manifest: { readonly bytes: Buffer; readonly mediaType: string } | undefined;
  /** The index it is a part of. */
  readonly index: ArchivedIndex | undefined;
}

/** An index of an archive. */
export interface ArchivedIndex {
  readonly digest: string;
  readonly mediaType: string;
  /** It and what is to be kept with it besides images, by digest: indexes inside of it, and attestations and images for other systems with all they name. */
  readonly blobs: ReadonlyMap<string, string>;
}

/** An image for a system that is not this one. */
export const otherSystem = (os: string) => invalid(`cannot load ${os} image on linux`);

/** A config and its layers, when they belong together. @throws `invalid`, in Docker's words where it has any. */
export function checkedImage(
  configBytes: Buffer,
  layers: readonly string[],
): Pick<ArchivedImage, 'config' | 'configBytes' | 'layers'> {
  const config = parseJson(configBytes, ImageConfigSchema, 'archive: image config');
  const { length } = config.rootfs.diff_ids;
  if (length !== layers.length) {
    throw invalid(`invalid manifest, layers length mismatch: expected ${length}, got ${layers.length}`);
  }
  if (config.os !== '' && config.os !== 'linux') throw otherSystem(config.os);
  return { config, configBytes, layers };
}
