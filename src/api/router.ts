import type { Handler, HijackHandler } from './exchange.ts';

export type Method = 'GET' | 'HEAD' | 'POST' | 'PUT' | 'DELETE';

/** One endpoint. In the path `:id` stands for one segment, `:name*` for one or more. */
export interface Route {
  readonly method: Method;
  readonly path: string;
  readonly run?: Handler;
  readonly hijack?: HijackHandler;
}

export interface Match {
  readonly route: Route;
  readonly params: Readonly<Record<string, string>>;
}

/** A route whose handler answers within HTTP. */
export const route = (method: Method, path: string, run: Handler): Route => ({ method, path, run });

/** A route whose handler takes the connection over. */
export const hijackRoute = (method: Method, path: string, hijack: HijackHandler): Route => ({ method, path, hijack });

function pattern(path: string): RegExp {
  return new RegExp(`^${path.replace(/:(\w+)(\*?)/g, (_, name, many) => `(?<${name}>${many ? '.+' : '[^/]+'})`)}$`);
}

const bucketOf = (method: string, path: string): string => `${method} ${path.split('/', 2)[1] ?? ''}`;

/** Finds routes by method and decoded path; of several that fit, the first in the list wins. */
export function createRouter(routes: readonly Route[]): (method: string, path: string) => Match | undefined {
  const buckets = Map.groupBy(
    routes.map((one) => ({ route: one, regex: pattern(one.path) })),
    ({ route: one }) => bucketOf(one.method, one.path),
  );
  return (method, path) => {
    for (const { route: one, regex } of buckets.get(bucketOf(method, path)) ?? []) {
      const match = regex.exec(path);
      if (match) return { route: one, params: match.groups ?? {} };
    }
    return undefined;
  };
}
