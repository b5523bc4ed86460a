import type { IncomingMessage } from 'node:http';
import { invalid, notFound } from '../util/errors.ts';
import { splitVersion } from './api-version.ts';
import { createRouter, type Match, type Route } from './router.ts';

/** The endpoint a request is for. */
export interface Found extends Match {
  /** Version text of the path's prefix, not checked yet. */
  readonly prefix: string | undefined;
  /** The query string without its question mark. */
  readonly search: string;
}

function splitTarget(url: string): { path: string; search: string } {
  const at = url.indexOf('?');
  const raw = at < 0 ? url : url.slice(0, at);
  try {
    return { path: decodeURIComponent(raw), search: at < 0 ? '' : url.slice(at + 1) };
  } catch (error) {
    throw invalid(`invalid URL escape in ${JSON.stringify(raw)}`, error);
  }
}

/** Finds the endpoint of a request. The function it gives throws `not-found` `page not found`, or `invalid`. */
export function createFinder(routes: readonly Route[]): (req: IncomingMessage) => Found {
  const match = createRouter(routes);
  return (req) => {
    const target = splitTarget(req.url ?? '/');
    const { prefix, path } = splitVersion(target.path);
    const found = match(req.method ?? '', path);
    if (!found) throw notFound('page not found');
    return { ...found, prefix, search: target.search };
  };
}
