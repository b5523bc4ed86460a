import { RegistryError } from '../../remote/registry-error.ts';
import type { Remote, Repositories } from '../../remote/remote.ts';
import type { RemoteManifest } from '../../remote/repository.ts';
import { type ImageConfig, ImageConfigSchema, type Platform } from '../../spec/image.ts';
import { IndexSchema, JSON_LIMIT, ManifestSchema } from '../../spec/manifest.ts';
import { parseReference, tagNameOnly } from '../../spec/reference.ts';
import { invalid, notFound } from '../../util/errors.ts';
import type { Distribution, Filters, SearchResult } from '../engine.ts';
import { checkFilters, filterFlag, invalidFilter, valuesOf } from '../filters.ts';
import { parseJson } from './parse-json.ts';
import { registryRefusal } from './registry-refusal.ts';
import { isIndex } from './remote-manifest.ts';

const SEARCH_LIMIT = 100;
const SEARCH_FILTERS = ['is-automated', 'is-official', 'stars'];

/** @throws `invalid` in Docker's words. */
function searchFilter(filters: Filters): (found: SearchResult) => boolean {
  checkFilters(filters, SEARCH_FILTERS);
  const official = filters.has('is-official') ? filterFlag(filters, 'is-official', false) : undefined;
  const automated = filters.has('is-automated') ? filterFlag(filters, 'is-automated', false) : undefined;
  const stars = valuesOf(filters, 'stars').map((value) => {
    if (!/^[+-]?\d+$/.test(value)) throw invalidFilter('stars', value);
    return Number(value);
  });
  const least = Math.max(0, ...stars);
  return (found) =>
    (official === undefined || official === found.official) &&
    (automated === undefined || automated === found.automated) &&
    found.stars >= least;
}

/** What registries say, with nothing kept of it. */
export function openDistribution(remote: Remote): Distribution {
  return {
    login: async (address, credentials, signal) => {
      try {
        return await remote.login(address, credentials, signal);
      } catch (error) {
        throw registryRefusal(error);
      }
    },
    search: async ({ term, limit, filters, credentials, signal }) => {
      const matches = searchFilter(filters);
      if (limit < 1 || limit > SEARCH_LIMIT)
        throw invalid(`limit ${limit} is outside the range of [1, ${SEARCH_LIMIT}]`);
      try {
        const found = await remote.search(term, { limit, credentials, signal });
        return found
          .map(({ name, description, star_count: stars, is_official: official, is_automated: automated }) => ({
            name,
            description,
            stars,
            official,
            automated,
          }))
          .filter(matches);
      } catch (error) {
        signal.throwIfAborted();
        throw registryRefusal(error);
      }
    },
    inspect: async (image, credentials, signal) => {
      const reference = tagNameOnly(parseReference(image));
      const at = reference.digest ?? reference.tag ?? 'latest';
      using repositories = await remote.open(reference.name, credentials);
      try {
        const top = await repositories.first('resolve', (repository) => repository.manifest(at, signal));
        const { mediaType, digest, bytes } = top;
        return { mediaType, digest, size: bytes.length, platforms: await platformsOf(repositories, top, signal) };
      } catch (error) {
        if (error instanceof RegistryError && error.status === 404) throw notFound(error.message, error);
        throw registryRefusal(error);
      }
    },
  };
}

/** Of an index those it lists, of a manifest the one in its config. */
async function platformsOf(
  repositories: Repositories,
  manifest: RemoteManifest,
  signal: AbortSignal,
): Promise<Platform[]> {
  const what = `manifest ${manifest.digest}`;
  if (isIndex(manifest))
    return parseJson(manifest.bytes, IndexSchema, what).manifests.flatMap(({ platform }) =>
      platform === null ? [] : [told(platform)],
    );
  const { config } = parseJson(manifest.bytes, ManifestSchema, what);
  if (config.size > JSON_LIMIT) throw invalid(`image config ${config.digest} is larger than ${JSON_LIMIT} bytes`);
  const bytes = await repositories.first('pull', (repository) => repository.json(config.digest, signal));
  const parsed: ImageConfig = parseJson(bytes, ImageConfigSchema, `image config ${config.digest}`);
  return [told(parsed)];
}

/** A variant is told where there is one. */
const told = ({ os, architecture, variant = '' }: Platform): Platform => ({
  os,
  architecture,
  ...(variant === '' ? {} : { variant }),
});
