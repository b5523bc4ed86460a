import { isDigest } from '../util/digest.ts';
import { invalid } from '../util/errors.ts';

/**
 * A parsed image reference, fully qualified (`docker.io/library/busybox`). Grammar: the distribution project's
 * `reference` package.
 */
export interface ImageReference {
  /** Domain and path. */
  readonly name: string;
  readonly tag?: string;
  /** `sha256:…`; when both are there the digest decides. */
  readonly digest?: string;
}

const DEFAULT_DOMAIN = 'docker.io';
const LEGACY_DOMAIN = 'index.docker.io';
const OFFICIAL = 'library/';
const NAME_LIMIT = 255;

const component = '[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*';
const label = '(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])';
const domain = `(?:${label}(?:\\.${label})*|\\[[a-fA-F0-9:]+\\])(?::[0-9]+)?`;
const name = `(?:${domain}/)?${component}(?:/${component})*`;
const tag = '[\\w][\\w.-]{0,127}';
const digest = '[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,}';
const REFERENCE = new RegExp(`^(${name})(?::(${tag}))?(?:@(${digest}))?$`);
const TAG = new RegExp(`^${tag}$`);
const IDENTIFIER = /^[a-f0-9]{64}$/;

function splitDomain(text: string): [domain: string, rest: string] {
  const slash = text.indexOf('/');
  const first = slash < 0 ? '' : text.slice(0, slash);
  const named = slash >= 0 && (/[.:]/.test(first) || first === 'localhost' || first.toLowerCase() !== first);
  const host = named ? first : DEFAULT_DOMAIN;
  const rest = named ? text.slice(slash + 1) : text;
  const canonical = host === LEGACY_DOMAIN ? DEFAULT_DOMAIN : host;
  return [canonical, canonical === DEFAULT_DOMAIN && !rest.includes('/') ? `${OFFICIAL}${rest}` : rest];
}

function checkDigest(text: string): void {
  const [algorithm = '', hex = ''] = text.split(':');
  const length = { sha256: 64, sha384: 96, sha512: 128 }[algorithm];
  if (length === undefined) throw invalid('unsupported digest algorithm');
  if (hex.length !== length) throw invalid('invalid checksum digest length');
  if (!/^[a-f0-9]+$/.test(hex)) throw invalid('invalid checksum digest format');
}

/**
 * Parses what a user writes for a repository, with the defaults filled in; no tag is added.
 *
 * @throws `invalid` in Docker's words.
 */
export function parseReference(text: string): ImageReference {
  if (IDENTIFIER.test(text)) {
    throw invalid(`invalid repository name (${text}), cannot specify 64-byte hexadecimal strings`);
  }
  const [host, rest] = splitDomain(text);
  const path = rest.split(':')[0] ?? '';
  if (path.toLowerCase() !== path) throw invalid('invalid reference format: repository name must be lowercase');
  const match = REFERENCE.exec(`${host}/${rest}`);
  if (match === null) throw invalid('invalid reference format');
  const [, full = '', tagText, digestText] = match;
  if (full.length > NAME_LIMIT) throw invalid('repository name must not be more than 255 characters');
  if (digestText !== undefined) checkDigest(digestText);
  return {
    name: full,
    ...(tagText === undefined ? {} : { tag: tagText }),
    ...(digestText === undefined ? {} : { digest: digestText }),
  };
}

/** Like `parseReference`, or the digest when `text` is a whole image id, with or without `sha256:`. */
export function parseAnyReference(text: string): ImageReference | string {
  if (IDENTIFIER.test(text)) return `sha256:${text}`;
  return isDigest(text) ? text : parseReference(text);
}

/** The reference with another tag and no digest. @throws `invalid` `invalid tag format`. */
export function withTag(reference: ImageReference, tagText: string): ImageReference & { tag: string } {
  if (!TAG.test(tagText)) throw invalid('invalid tag format');
  return { name: reference.name, tag: tagText };
}

/** `latest` where there is neither tag nor digest. */
export function tagNameOnly(reference: ImageReference): ImageReference {
  return reference.tag === undefined && reference.digest === undefined ? { ...reference, tag: 'latest' } : reference;
}

/** The name as users know it: without `docker.io/` and `library/`. */
export function familiarName(fullName: string): string {
  const path = fullName.startsWith(`${DEFAULT_DOMAIN}/`) ? fullName.slice(DEFAULT_DOMAIN.length + 1) : fullName;
  if (path === fullName || !path.startsWith(OFFICIAL)) return path;
  const short = path.slice(OFFICIAL.length);
  return short.includes('/') ? path : short;
}

/** The whole reference as users know it. */
export function familiarString(reference: ImageReference): string {
  const tagPart = reference.tag === undefined ? '' : `:${reference.tag}`;
  const digestPart = reference.digest === undefined ? '' : `@${reference.digest}`;
  return `${familiarName(reference.name)}${tagPart}${digestPart}`;
}
