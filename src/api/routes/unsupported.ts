import { unavailable, unsupported } from '../../util/errors.ts';
import { type Method, type Route, route } from '../router.ts';

/** Docker's endpoints that are not built yet, with the subject of the sentence that says so. */
const UNSUPPORTED: readonly (readonly [Method, string, string])[] = [
  ['POST', '/session', 'a BuildKit session'],
  ['POST', '/grpc', 'a BuildKit session'],
  ['POST', '/build', 'building images'],
  ['POST', '/build/cancel', 'building images'],
  ['POST', '/networks/create', 'creating networks'],
  ['POST', '/networks/:id/connect', 'connecting a container to a network'],
  ['POST', '/networks/:id/disconnect', 'disconnecting a container from a network'],
  ['DELETE', '/networks/:id', 'removing networks'],
  ['PUT', '/volumes/:name', 'cluster volumes'],
  ['GET', '/plugins/privileges', 'plugins'],
  ['POST', '/plugins/pull', 'plugins'],
  ['POST', '/plugins/create', 'plugins'],
  ['GET', '/plugins/:name*/json', 'plugins'],
  ['DELETE', '/plugins/:name*', 'plugins'],
  ['POST', '/plugins/:name*/enable', 'plugins'],
  ['POST', '/plugins/:name*/disable', 'plugins'],
  ['POST', '/plugins/:name*/upgrade', 'plugins'],
  ['POST', '/plugins/:name*/push', 'plugins'],
  ['POST', '/plugins/:name*/set', 'plugins'],
  ['POST', '/swarm/init', 'swarm mode'],
  ['POST', '/swarm/join', 'swarm mode'],
];

/** Endpoints that only the manager of a swarm answers. */
const SWARM: readonly (readonly [Method, string])[] = [
  ['GET', '/swarm'],
  ['POST', '/swarm/update'],
  ['GET', '/swarm/unlockkey'],
  ['POST', '/swarm/unlock'],
  ...['nodes', 'services', 'tasks', 'secrets', 'configs'].flatMap((noun): [Method, string][] => [
    ['GET', `/${noun}`],
    ['POST', `/${noun}/create`],
    ['GET', `/${noun}/:id`],
    ['DELETE', `/${noun}/:id`],
    ['POST', `/${noun}/:id/update`],
    ['GET', `/${noun}/:id/logs`],
  ]),
];

/** Endpoints of a dockerd that runs in experimental mode. */
const EXPERIMENTAL: readonly (readonly [Method, string])[] = [
  ['GET', '/containers/:id/checkpoints'],
  ['POST', '/containers/:id/checkpoints'],
  ['DELETE', '/containers/:id/checkpoints/:checkpoint'],
];

/** Docker's words, without which a client would not know it for what it is. */
const NOT_EXPERIMENTAL =
  'This experimental feature is disabled by default. Start the Docker daemon in experimental mode in order to enable it.';

const NO_MANAGER =
  'This node is not a swarm manager. Use "docker swarm init" or "docker swarm join" to connect this node to swarm and try again.';

const NO_SWARM = 'This node is not part of a swarm';

/** The error of something Docker has and Gantry does not have yet. */
export const notYet = (what: string) => unsupported(`${what} is not supported by this version of Gantry`);

/** Answers for the rest of Docker's API: 501 naming what is missing, 503 where a swarm would be needed. */
export const unsupportedRoutes: readonly Route[] = [
  ...UNSUPPORTED.map(([method, path, what]) =>
    route(method, path, () => {
      throw notYet(what);
    }),
  ),
  route('POST', '/swarm/leave', () => {
    throw unavailable(NO_SWARM);
  }),
  ...EXPERIMENTAL.map(([method, path]) =>
    route(method, path, () => {
      throw unsupported(NOT_EXPERIMENTAL);
    }),
  ),
  ...SWARM.map(([method, path]) =>
    route(method, path, () => {
      throw unavailable(NO_MANAGER);
    }),
  ),
];
