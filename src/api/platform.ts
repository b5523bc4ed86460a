import * as v from 'valibot';
import type { Platform } from '../spec/image.ts';
import { text } from '../spec/json.ts';
import { parsePlatform } from '../spec/platform.ts';
import { invalid, messageOf } from '../util/errors.ts';
import { parseJson } from './parse-json.ts';
import type { Query } from './query.ts';

/** `platform` of a query, as `parsePlatform` reads it; undefined when not given. @throws `invalid`. */
export function readPlatform(query: Query): Platform | undefined {
  const told = query.text('platform');
  return told === '' ? undefined : parsePlatform(told);
}

/**
 * The platforms a query names as JSON, one for each `name`: `{"os":"linux","architecture":"arm64"}`.
 *
 * @throws `invalid`, in Docker's words where it has any.
 */
export function readPlatformsJson(query: Query, name: string): Platform[] {
  return query
    .all(name)
    .filter((json) => json !== '')
    .map(platformFromJson);
}

const PlatformSchema = v.looseObject({ os: text(), architecture: text(), variant: text() });

function platformFromJson(json: string): Platform {
  let value: unknown;
  try {
    value = parseJson(json);
  } catch (error) {
    throw invalid(`failed to parse platform: ${messageOf(error)}`, error);
  }
  const parsed = v.safeParse(PlatformSchema, value);
  if (!parsed.success) throw invalid(`failed to parse platform: ${parsed.issues[0].message}`);
  const { os, architecture, variant } = parsed.output;
  if (os === '' && architecture === '' && variant !== '') {
    throw invalid('optional platform fields provided, but OS and Architecture are missing');
  }
  if (os === '' || architecture === '') throw invalid('both OS and Architecture must be provided');
  return { os, architecture, ...(variant === '' ? {} : { variant }) };
}

/** As `readPlatformsJson`, of which there is one at most. @throws `invalid`. */
export function readPlatformJson(query: Query, name = 'platform'): Platform | undefined {
  const [platform, ...more] = readPlatformsJson(query, name);
  if (more.length > 0) throw invalid('multiple platform parameters not supported');
  return platform;
}
