import type { Route } from '../router.ts';
import { containerFileRoutes } from './container-files.ts';
import { containerStreamRoutes } from './container-streams.ts';
import { containerRoutes } from './containers.ts';
import { diskUsageRoutes } from './disk-usage.ts';
import { distributionRoutes } from './distribution.ts';
import { execRoutes } from './execs.ts';
import { imageRoutes } from './images.ts';
import { networkRoutes } from './networks.ts';
import { systemRoutes } from './system.ts';
import { unsupportedRoutes } from './unsupported.ts';
import { volumeRoutes } from './volumes.ts';

/** Every endpoint. The order matters where a fixed path competes with a parameter: the first that fits wins. */
export function allRoutes(headers: readonly (readonly [string, string])[]): Route[] {
  return [
    ...systemRoutes,
    ...diskUsageRoutes,
    ...containerRoutes,
    ...containerStreamRoutes,
    ...containerFileRoutes,
    ...execRoutes(headers),
    ...imageRoutes,
    ...distributionRoutes,
    ...networkRoutes,
    ...volumeRoutes,
    ...unsupportedRoutes,
  ];
}
