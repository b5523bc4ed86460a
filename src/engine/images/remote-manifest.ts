import type { Repositories } from '../../remote/remote.ts';
import type { RemoteManifest } from '../../remote/repository.ts';
import type { Platform } from '../../spec/image.ts';
import { isIndexType, isManifestType, type Manifest, ManifestSchema } from '../../spec/manifest.ts';
import { invalid, notFound, unsupported } from '../../util/errors.ts';
import { NESTING_LIMIT, parseIndex } from './index-tree.ts';
import { parseJson, refuseAmbiguous } from './parse-json.ts';
import { choosePlatform, platformName } from './platform-choice.ts';

/** What a name leads to. */
export interface FoundImage {
  readonly manifest: Manifest;
  /** Of `manifest`, as they came. */
  readonly manifestBytes: Buffer;
  /** Digest by which the registry knows it: of the index, where there is one. */
  readonly digest: string;
  /** The indexes on the way to it, outermost first, as they came. */
  readonly indexes: readonly RemoteManifest[];
}

/** Follows indexes to the manifest for a platform. @throws `not-found` when there is none for it; `invalid`, `unsupported`. */
export async function findManifest(
  repositories: Repositories,
  top: RemoteManifest,
  wanted: Platform,
  signal: AbortSignal,
): Promise<FoundImage> {
  const indexes: RemoteManifest[] = [];
  let current = top;
  while (isIndex(current)) {
    if (indexes.push({ ...current, mediaType: typeOf(current) }) > NESTING_LIMIT)
      throw invalid(`manifest ${top.digest}: indexes are nested too deeply`);
    const manifests = parseIndex(current.bytes, `manifest ${current.digest}`);
    const chosen = choosePlatform(manifests, wanted);
    if (chosen === undefined)
      throw notFound(`no matching manifest for ${platformName(wanted)} in the manifest list entries`);
    current = await repositories.first('pull', (repository) => repository.manifest(chosen.digest, signal));
  }
  const manifest = parseJson(current.bytes, ManifestSchema, `manifest ${current.digest}`);
  return { manifest, manifestBytes: current.bytes, digest: top.digest, indexes };
}

/** @throws `invalid`, `unsupported` for what is neither index nor manifest. */
export const isIndex = (manifest: RemoteManifest): boolean => kindOf(manifest) === 'index';

/** What the document says of itself, else what the server says. */
function typeOf({ bytes, digest, mediaType }: RemoteManifest): string {
  const own = refuseAmbiguous(bytes, `manifest ${digest}`);
  return own === '' ? mediaType : own;
}

function kindOf(manifest: RemoteManifest): 'index' | 'manifest' {
  const type = typeOf(manifest);
  if (type.startsWith('application/vnd.docker.distribution.manifest.v1')) {
    throw unsupported(
      'Docker Image manifest version 2, schema 1 is not supported: the image is to be pushed again by a newer client',
    );
  }
  if (isIndexType(type)) return 'index';
  if (isManifestType(type)) return 'manifest';
  throw invalid(`unsupported media type ${type === '' ? 'of a manifest: none is told' : type}`);
}
