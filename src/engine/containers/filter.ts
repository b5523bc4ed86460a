import { invalid, notFound } from '../../util/errors.ts';
import type { Filters } from '../engine.ts';
import { checkFilters, invalidFilter, matchExact, matchLabels, matchPattern, valuesOf } from '../filters.ts';
import { filterPorts } from './filter-ports.ts';
import type { Container, ContainerStatus } from './model.ts';
import { NEVER } from './model.ts';

const ACCEPTED =
  'ancestor before exited expose health id is-task isolation label name network publish since status volume'.split(' ');
const STATUSES: readonly string[] = ['created', 'running', 'paused', 'restarting', 'removing', 'exited', 'dead'];
const HEALTHS = ['none', 'starting', 'healthy', 'unhealthy'];
const RUNNING: readonly ContainerStatus[] = ['running', 'paused', 'restarting'];

export interface ListQuery {
  /** Stopped ones too. A limit or a filter on the status implies it. */
  all: boolean;
  /** At most this many, the newest; 0 or less: no limit. */
  limit: number;
  filters: Filters;
  /** Ids of an image and of those built on it; undefined when there is no such image. */
  imagesOf: (ref: string) => ReadonlySet<string> | undefined;
  /** `none`, `starting`, `healthy` or `unhealthy`; `none` for all when it is left out. */
  health?: (container: Container) => string;
}

type Check = (container: Container) => boolean;

/**
 * What `docker ps` lists, newest first.
 *
 * @throws `invalid` for filters that are unknown or have impossible values, `not-found` for a `before` or `since` that is not there.
 */
export function filterContainers(containers: readonly Container[], query: ListQuery): Container[] {
  const { filters, limit } = query;
  checkFilters(filters, ACCEPTED);
  const checks = [...identityChecks(containers, filters), ...stateChecks(query), ...placeChecks(query)];
  const newestFirst = containers.toSorted((a, b) => (sortKey(a) < sortKey(b) ? 1 : -1));
  const kept = between(newestFirst, filters).filter((container) => checks.every((check) => check(container)));
  return limit > 0 ? kept.slice(0, limit) : kept;
}

/** Texts of times sort as the times do once the final Z, which stands in the place of a digit, is gone. */
const sortKey = ({ created }: Container): string => created.slice(0, -1);

/** What lies below `before` and above `since`, which are full ids or names. */
function between(newestFirst: readonly Container[], filters: Filters): readonly Container[] {
  const place = (key: string): number | undefined => {
    const positions = valuesOf(filters, key).map((value) => placeOf(newestFirst, value));
    return positions.at(-1);
  };
  const before = place('before');
  const since = place('since');
  return newestFirst.slice(before === undefined ? 0 : before + 1, since ?? newestFirst.length);
}

function placeOf(containers: readonly Container[], ref: string): number {
  const name = ref.replace(/^\//, '');
  const byId = containers.findIndex(({ id }) => id === ref);
  const found = byId === -1 ? containers.findIndex((container) => container.name === name) : byId;
  if (found === -1) throw notFound(`no such container ${ref}`);
  return found;
}

// Every container here has the isolation that Linux has: a filter on it chooses nothing, as in Docker.
function identityChecks(containers: readonly Container[], filters: Filters): Check[] {
  const ids = filters.has('id') ? idsOf(containers, valuesOf(filters, 'id')) : undefined;
  return [
    ({ id }) => ids === undefined || ids.has(id),
    ({ name }) => matchPattern(filters, 'name', name) || matchPattern(filters, 'name', `/${name}`),
    ({ config }) => matchLabels(filters, 'label', config.Labels),
  ];
}

/** Each value must be the beginning of one id alone; others find nothing. */
function idsOf(containers: readonly Container[], prefixes: readonly string[]): Set<string> {
  const found = prefixes.map((prefix) => containers.filter(({ id }) => prefix !== '' && id.startsWith(prefix)));
  return new Set(found.flatMap((matches) => (matches.length === 1 ? matches.map(({ id }) => id) : [])));
}

function stateChecks({ all, limit, filters, health }: ListQuery): Check[] {
  for (const status of valuesOf(filters, 'status')) {
    if (!STATUSES.includes(status)) throw invalidFilter('status', status);
  }
  for (const value of valuesOf(filters, 'health')) {
    if (!HEALTHS.includes(value)) throw invalid(`Unrecognised filter value for health: ${value}`);
  }
  const exitCodes = valuesOf(filters, 'exited').map(parseExitCode);
  const everyState = all || limit > 0 || valuesOf(filters, 'status').length > 0;
  const isRunning: Check = ({ state }) => RUNNING.includes(state.status);
  return [
    (container) => everyState || isRunning(container),
    ({ state }) => matchExact(filters, 'status', state.status),
    (container) => matchExact(filters, 'health', health?.(container) ?? 'none'),
    (container) => {
      const { exitCode, startedAt } = container.state;
      return exitCodes.length === 0 || (exitCodes.includes(exitCode) && !isRunning(container) && startedAt !== NEVER);
    },
  ];
}

function parseExitCode(text: string): number {
  if (!/^[+-]?\d+$/.test(text)) throw invalid(`strconv.Atoi: parsing "${text}": invalid syntax`);
  if (!Number.isSafeInteger(Number(text))) throw invalid(`strconv.Atoi: parsing "${text}": value out of range`);
  return Number(text);
}

function placeChecks({ filters, imagesOf }: ListQuery): Check[] {
  const tasks = taskFilter(filters);
  const images = valuesOf(filters, 'ancestor').map(imagesOf);
  const networks = valuesOf(filters, 'network');
  const volumes = valuesOf(filters, 'volume');
  const expose = filterPorts(filters, 'expose');
  const publish = filterPorts(filters, 'publish');
  return [
    // A container here never belongs to a swarm's task.
    () => tasks !== true,
    ({ imageId }) => images.length === 0 || images.some((ids) => ids?.has(imageId) === true),
    (container) => networks.length === 0 || networks.some((ref) => isInNetwork(container, ref)),
    ({ mounts }) =>
      volumes.length === 0 ||
      mounts.some(({ name, source, destination }) =>
        volumes.some((it) => it === (name || source) || it === destination),
      ),
    // As in dockerd, ports are those of a running container.
    ({ ports }) => expose === undefined || Object.keys(ports).some((port) => expose(port)),
    (container) => publish === undefined || publishedPorts(container).some((port) => publish(port)),
  ];
}

function taskFilter(filters: Filters): boolean | undefined {
  const values = filters.get('is-task');
  if (values === undefined) return undefined;
  if (values.includes('true')) return true;
  if (values.includes('false')) return false;
  throw invalidFilter('is-task', values);
}

/** By the whole name of a network or the beginning of its id; as in Docker the beginning of nothing finds all. */
function isInNetwork({ networks, endpoints, hostConfig }: Container, ref: string): boolean {
  const nameOf = (network: string) => (network === 'default' ? 'bridge' : network);
  const names = [hostConfig.NetworkMode, ...Object.keys(networks), ...Object.keys(endpoints)].map(nameOf);
  return (
    ref === '' || names.includes(ref) || Object.values(endpoints).some(({ networkId }) => networkId.startsWith(ref))
  );
}

/** The ports of the host that lead into it, `8080/tcp`. */
function publishedPorts({ ports }: Container): string[] {
  return Object.entries(ports).flatMap(([port, bindings]) => {
    const protocol = port.split('/')[1] ?? 'tcp';
    return bindings.map(({ HostPort }) => `${HostPort}/${protocol}`);
  });
}
