import type { Platform } from '../spec/image.ts';
import { invalid } from '../util/errors.ts';
import type { Query } from './query.ts';

/** `platform` of a query, `os/arch[/variant]`; undefined when not given. @throws `invalid`. */
export function readPlatform(query: Query): Platform | undefined {
  const text = query.text('platform');
  if (text === '') return undefined;
  const [os = '', architecture = '', variant, ...rest] = text.toLowerCase().split('/');
  const known = /^[a-z0-9_.-]+$/;
  if (!known.test(os) || !known.test(architecture) || rest.length > 0) {
    throw invalid(`${JSON.stringify(text)} is an invalid platform: it must look like "linux/amd64"`);
  }
  return { os, architecture, ...(variant === undefined ? {} : { variant }) };
}
