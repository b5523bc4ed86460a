import { resolve } from 'node:path';
import { checkInsecure, checkMirror } from '../../remote/registries.ts';
import { invalid } from '../../util/errors.ts';
import type { DaemonConfig, PartialConfig } from './config.ts';

/** Docker's own directory counts as well: who moves here has certificates there. */
const CERTS_DIRS = ['/etc/gantry/certs.d', '/etc/docker/certs.d'];
const DOWNLOADS = 3;
const UPLOADS = 5;

/** What the configuration says of registries. @throws `invalid`. */
export function registriesConfig(
  given: PartialConfig,
): Pick<DaemonConfig, 'registries' | 'maxConcurrentDownloads' | 'maxConcurrentUploads'> {
  const downloads = given['max-concurrent-downloads'] ?? DOWNLOADS;
  if (downloads < 1) throw invalid(`max-concurrent-downloads: invalid max concurrent downloads: ${downloads}`);
  const uploads = given['max-concurrent-uploads'] ?? UPLOADS;
  if (uploads < 1) throw invalid(`max-concurrent-uploads: invalid max concurrent uploads: ${uploads}`);
  return {
    registries: {
      mirrors: (given['registry-mirrors'] ?? []).map(checkMirror),
      insecure: (given['insecure-registries'] ?? []).map(checkInsecure),
      certsDirs: (given['registry-certs-dirs'] ?? CERTS_DIRS).map((dir) => resolve(dir)),
    },
    maxConcurrentDownloads: downloads,
    maxConcurrentUploads: uploads,
  };
}
