import { blobStream } from '../../remote/blob-stream.ts';
import type { Repositories } from '../../remote/remote.ts';
import type { Descriptor } from '../../spec/manifest.ts';
import type { Wanted } from '../../store/fetches.ts';

/** What a manifest describes, to be fetched from wherever its repository is. */
export function remoteBlob(repositories: Repositories, { digest, size, mediaType }: Descriptor): Wanted {
  return {
    digest,
    size,
    mediaType,
    open: (offset, signal) => blobStream(repositories.sources, { digest, size }, offset, signal),
  };
}
