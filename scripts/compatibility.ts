import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createRouter } from '../src/api/router.ts';
import { allRoutes } from '../src/api/routes/all-routes.ts';
import { unsupportedRoutes } from '../src/api/routes/unsupported.ts';
import { unsupportedFields } from '../src/engine/runtime-spec/unsupported.ts';
import { unsupportedEndpointFields } from '../src/engine/runtime-spec/validate-endpoints.ts';
import {
  ContainerConfigSchema,
  EndpointConfigSchema,
  ExecBodySchema,
  HostConfigSchema,
} from '../src/spec/container.ts';
import { kindOf, messageOf } from '../src/util/errors.ts';

// Writes docs/compatibility.md: what of Docker's API works, from the code itself and the names in test/data. To be run after a
// feature came: a test compares the page with the code.

const root = join(import.meta.dirname, '..');
export const PAGE = join(root, 'docs', 'compatibility.md');

/** The names of Docker's API 1.51, and nothing else of its description. */
export interface OfficialNames {
  readonly endpoints: readonly string[];
  readonly Config: readonly string[];
  readonly HostConfig: readonly string[];
  readonly EndpointSettings: readonly string[];
  readonly Exec: readonly string[];
}

export const official = JSON.parse(
  readFileSync(join(root, 'test', 'data', 'official-api.json'), 'utf8'),
) as OfficialNames;

/** Endpoints that work for a part of what can be asked of them. */
const PARTLY: Readonly<Record<string, string>> = {
  'GET /plugins': 'works: it names managed plugins, and there are none',
  'POST /build/prune': 'works: there is no build cache, so nothing is removed',
};

const SHOWN = 'shown by inspect, and does nothing, as in Docker';
const RESULT = 'a result, which clients send back as they got it; ignored, as in Docker';

/** Fields that nothing acts on, and why that is right. */
const INERT: Readonly<Record<string, string>> = {
  'Config.ArgsEscaped': `${SHOWN}: it is for Windows images`,
  'Config.OnBuild': `${SHOWN}: it is for builds`,
  'HostConfig.ContainerIDFile': `${SHOWN}: the client writes that file`,
  'HostConfig.Mounts.Consistency': `${SHOWN} on Linux`,
  'HostConfig.KernelMemoryTCP': 'no kernel has this limit any more; taken out, with a warning',
  'HostConfig.CpuCount': 'exists on Windows only; taken out, with a warning, where Docker keeps it and does nothing',
  'HostConfig.CpuPercent': 'exists on Windows only; taken out, with a warning, as in Docker',
  'HostConfig.IOMaximumIOps': 'exists on Windows only: refused (400), as in Docker',
  'HostConfig.IOMaximumBandwidth': 'exists on Windows only: refused (400), as in Docker',
  'HostConfig.StorageOpt': 'needs project quotas, which are not set: refused (400), as in Docker',
  'EndpointSettings.GwPriority': 'shown by inspect; it decides between several networks',
  ...Object.fromEntries(
    ['NetworkID', 'EndpointID', 'Gateway', 'IPAddress', 'IPPrefixLen', 'IPv6Gateway', 'GlobalIPv6Address']
      .concat(['GlobalIPv6PrefixLen', 'DNSNames'])
      .map((name) => [`EndpointSettings.${name}`, RESULT]),
  ),
};

interface Group {
  readonly title: string;
  readonly names: readonly string[];
  readonly schema: unknown;
  readonly refused: readonly string[];
  /** How the refusal names the field. */
  readonly error: (field: string) => string;
}

const notYet = (prefix: string) => (field: string) => `501 \`${prefix}${field} is not supported yet by this engine\``;

const GROUPS: Readonly<Record<string, Group>> = {
  Config: {
    title: 'Config: the body of `POST /containers/create`',
    names: official.Config,
    schema: ContainerConfigSchema,
    refused: unsupportedFields.config,
    error: notYet(''),
  },
  HostConfig: {
    title: 'HostConfig',
    names: official.HostConfig,
    schema: HostConfigSchema,
    refused: unsupportedFields.hostConfig,
    error: notYet('HostConfig.'),
  },
  EndpointSettings: {
    title: 'NetworkingConfig.EndpointsConfig',
    names: official.EndpointSettings,
    schema: EndpointConfigSchema,
    refused: unsupportedEndpointFields,
    error: notYet('NetworkingConfig '),
  },
  Exec: {
    title: 'The body of `POST /containers/{id}/exec`',
    names: official.Exec,
    schema: ExecBodySchema,
    refused: [],
    error: notYet(''),
  },
};

/** Fields of which only some values are refused. */
const SOME_VALUES = new Set(['IpcMode', 'PidMode', 'UsernsMode', 'RestartPolicy', 'Binds', 'Mounts']);

const router = createRouter(allRoutes([]));

/** State of an endpoint, `GET /containers/{id}/json`. */
function endpointState(endpoint: string): string {
  const [method = '', path = ''] = endpoint.split(' ');
  const found = router(method, path.replace(/\{\w+\}/g, 'x'));
  if (found === undefined) return 'not answered';
  if (!unsupportedRoutes.includes(found.route)) return PARTLY[endpoint] ?? 'works';
  try {
    // These throw before they look at the request.
    void found.route.run?.(undefined as never, undefined as never);
  } catch (error) {
    return `refused: ${kindOf(error) === 'unavailable' ? '503, there is no swarm' : `501 \`${messageOf(error)}\``}`;
  }
  return 'works';
}

/** The part of a schema that says what stands behind a name, however deep it is wrapped. */
function fieldOf(schema: unknown, name: string): unknown {
  if (typeof schema !== 'object' || schema === null) return undefined;
  const { entries, item, value, wrapped, pipe, options } = schema as Record<string, unknown>;
  if (typeof entries === 'object' && entries !== null && name in entries)
    return (entries as Record<string, unknown>)[name];
  const inner = [
    wrapped,
    item,
    value,
    ...(Array.isArray(pipe) ? pipe : []),
    ...(Array.isArray(options) ? options : []),
  ];
  for (const one of inner) {
    const found = one === schema ? undefined : fieldOf(one, name);
    if (found !== undefined) return found;
  }
  return undefined;
}

const known = (schema: unknown, path: string): boolean =>
  path.split('.').reduce((at: unknown, name) => fieldOf(at, name), schema) !== undefined;

function fieldState(group: string, { schema, refused, error }: Group, name: string): string {
  const noted = INERT[`${group}.${name}`];
  if (noted !== undefined) return noted;
  if (!known(schema, name)) return 'not known';
  // `Mounts of type volume` says something of `Mounts` alone, `DeviceRequests` of all that is in it.
  const gap = refused.find((field) => name === field.split(' ')[0] || name.split('.')[0] === field);
  if (gap === undefined) return 'works';
  const partly = SOME_VALUES.has(gap.split(' ')[0] ?? '');
  return `${partly ? 'some values are refused' : 'refused'}: ${error(gap)}`;
}

const table = (heading: string, rows: readonly (readonly [string, string])[]): string =>
  [`| ${heading} | state |`, '|---|---|', ...rows.map(([name, state]) => `| \`${name}\` | ${state} |`), ''].join('\n');

/** Every name with its state, by group. */
export function states(): Record<string, [name: string, state: string][]> {
  const fields = Object.entries(GROUPS).map(([name, group]): [string, [string, string][]] => [
    name,
    group.names.map((field) => [field, fieldState(name, group, field)]),
  ]);
  return {
    endpoints: official.endpoints.map((endpoint) => [endpoint, endpointState(endpoint)]),
    ...Object.fromEntries(fields),
  };
}

/** The whole page. */
export function page(): string {
  const { endpoints = [], ...fields } = states();
  const parts = Object.entries(fields).map(
    ([name, rows]) => `## ${GROUPS[name]?.title ?? name}\n\n${table('field', rows)}`,
  );
  return `# Compatibility

What of Docker's API 1.51 works. \`npm run compatibility\` writes this page from the routes and the schemas; a test fails when it does not say what the code does.
No field is accepted and then ignored, but for those marked so, where Docker does the same. What differs from Docker in words only is in
\`test/scenarios/errors.test.ts\`.

## Endpoints

${table('endpoint', endpoints)}
${parts.join('\n')}`;
}

if (import.meta.main) writeFileSync(PAGE, page());
