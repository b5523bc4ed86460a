import type { EndpointConfig } from '../../spec/container.ts';
import { invalid, notFound, unsupported } from '../../util/errors.ts';

const PREDEFINED = new Set(['bridge', 'host', 'none']);

/** What of an endpoint only networks to come can give. One line a gap; it goes when the feature comes. */
const GAPS: readonly (readonly [field: string, asked: (endpoint: EndpointConfig) => boolean])[] = [
  ['IPAMConfig.LinkLocalIPs', ({ IPAMConfig }) => (IPAMConfig?.LinkLocalIPs ?? []).length > 0],
  ['Links', ({ Links }) => (Links ?? []).length > 0],
  ['MacAddress', ({ MacAddress }) => MacAddress !== ''],
  ['DriverOpts', ({ DriverOpts }) => Object.keys(DriverOpts).length > 0],
];

/** The names of these, for the page that tells what is supported. */
export const unsupportedEndpointFields: readonly string[] = GAPS.map(([field]) => field);

/**
 * Checks what a container asks of its networks, by their names, beside its network mode: the predefined networks can give
 * it nothing special, and it can be in one of them only.
 *
 * @throws `not-found` for an unknown network, `invalid` in Docker's words, `unsupported` for what is to come.
 */
export function validateEndpoints(endpoints: Readonly<Record<string, EndpointConfig>>, networkMode: string): void {
  for (const [name, endpoint] of Object.entries(endpoints)) {
    checkNetwork(nameOf(name), nameOf(networkMode));
    checkEndpoint(endpoint);
  }
}

const nameOf = (network: string): string => (network === '' || network === 'default' ? 'bridge' : network);

function checkNetwork(name: string, mode: string): void {
  if (name === mode) return;
  if (!PREDEFINED.has(name)) throw notFound(`network ${name} not found`);
  throw unsupported(`a container cannot be in the networks ${mode} and ${name} at once yet`);
}

function checkEndpoint(endpoint: EndpointConfig): void {
  const { IPAMConfig, Aliases } = endpoint;
  if ((IPAMConfig?.IPv4Address || IPAMConfig?.IPv6Address || '') !== '') {
    throw invalid('user specified IP address is supported on user defined networks only');
  }
  if ((Aliases ?? []).length > 0) {
    throw invalid('network-scoped alias is supported only for containers in user defined networks');
  }
  const [field] = GAPS.find(([, asked]) => asked(endpoint)) ?? [];
  if (field !== undefined) throw unsupported(`NetworkingConfig ${field} is not supported yet by this engine`);
}
