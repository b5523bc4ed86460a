import { blobStream } from '../../remote/blob-stream.ts';
import type { Repositories } from '../../remote/remote.ts';
import type { Descriptor } from '../../spec/manifest.ts';
import type { Wanted } from '../../store/fetches.ts';

/** What a manifest describes, to be fetched from wherever its repository is. */
export function remoteBlob(repositories: Repositories, { digest, size, mediaType }: Descriptor): Wanted {
  const { sources } = repositories;
  return {
    digest,
    size,
    mediaType,
    places: sources.length,
    open: (offset, place, signal) => blobStream(sources.slice(place), { digest, size }, offset, signal),
  };
}
