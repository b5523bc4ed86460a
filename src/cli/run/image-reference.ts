import { invalid } from '../../util/errors.ts';

const DOMAIN = /^(localhost|[^/]*[.:][^/]*|\[[^/]*\](:\d+)?)\//;
const PATH = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*$/;
const TAG = /^[\w][\w.-]{0,127}$/;
const DIGEST = /^[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,}$/;

/** An image's name as people write it: Docker Hub's own parts are left out. */
export interface ImageReference {
  name: string;
  tag: string | undefined;
  digest: string | undefined;
}

const BAD = 'invalid reference format';

/** Reads `[domain/]path[:tag][@digest]`. @throws `invalid` with Docker's texts. */
export function parseReference(text: string): ImageReference {
  if (/^[a-f0-9]{64}$/.test(text)) {
    throw invalid(`invalid repository name (${text}), cannot specify 64-byte hexadecimal strings`);
  }
  const [base = '', digest, extra] = text.split('@');
  const slash = base.lastIndexOf('/');
  const colon = base.indexOf(':', slash + 1);
  const name = colon < 0 ? base : base.slice(0, colon);
  const tag = colon < 0 ? undefined : base.slice(colon + 1);
  const remote = DOMAIN.test(name) ? name.replace(DOMAIN, '') : name;
  if (remote !== remote.toLowerCase()) {
    const full = DOMAIN.test(name) || name.includes('/') ? name : `library/${name}`;
    throw invalid(`${BAD}: repository name (${full}) must be lowercase`);
  }
  const broken = !PATH.test(remote) || (tag !== undefined && !TAG.test(tag)) || extra !== undefined;
  if (broken || (digest !== undefined && !DIGEST.test(digest))) throw invalid(BAD);
  return { name: name.replace(/^(?:index\.)?docker\.io\/(?:library\/)?/, ''), tag, digest };
}

/** The reference with `:latest` when it names neither tag nor digest. */
export function familiar({ name, tag, digest }: ImageReference): string {
  if (digest !== undefined) return `${name}${tag === undefined ? '' : `:${tag}`}@${digest}`;
  return `${name}:${tag ?? 'latest'}`;
}
