import type { ContainerEdits } from '../../spec/cdi.ts';
import type { HostConfig } from '../../spec/container.ts';
import { invalid } from '../../util/errors.ts';
import type { Log } from '../../util/log.ts';
import { type CdiDevice, readCdiDevices } from './cdi-files.ts';

type Request = NonNullable<HostConfig['DeviceRequests']>[number];

/** Where device requests are answered from. */
export interface DeviceSources {
  /** Later ones win. Empty: none are read. */
  readonly cdiSpecDirs: readonly string[];
  readonly log: Log;
}

/**
 * What the devices a container requests (`--device vendor.com/class=name`, `--gpus`) change in its configuration, in order.
 *
 * @throws `invalid` in Docker's words when nothing here answers a request, or a device is unknown.
 */
export async function requestedEdits(
  requests: readonly Request[],
  { cdiSpecDirs, log }: DeviceSources,
): Promise<ContainerEdits[]> {
  const edits: ContainerEdits[] = [];
  for (const request of requests) {
    if (request.Driver !== 'cdi' || cdiSpecDirs.length === 0) throw unanswered(request);
    if (request.Count !== 0) throw invalid('unexpected count in CDI device request');
    if (Object.keys(request.Options ?? {}).length > 0) throw invalid('unexpected options in CDI device request');
    edits.push(...(await cdiEdits(request.DeviceIDs ?? [], cdiSpecDirs, log)));
  }
  return edits;
}

/** As Go prints a list of lists. */
function unanswered({ Driver, Capabilities }: Request): Error {
  const sets = (Capabilities ?? []).map((set) => `[${(set ?? []).join(' ')}]`);
  return invalid(`could not select device driver ${JSON.stringify(Driver)} with capabilities: [${sets.join(' ')}]`);
}

/** What all devices of a file need comes once, before the first of them. */
async function cdiEdits(names: readonly string[], dirs: readonly string[], log: Log): Promise<ContainerEdits[]> {
  if (names.length === 0) return [];
  const { byName, errors } = await readCdiDevices(dirs);
  const found = names.map((name) => byName.get(name));
  const unknown = names.filter((_, at) => found[at] === undefined);
  if (unknown.length > 0) {
    for (const error of errors) log.warn('a CDI specification is not used', { error });
    throw invalid(`CDI device injection failed: unresolvable CDI devices ${unknown.join(', ')}`);
  }
  const devices = found.filter((device): device is CdiDevice => device !== undefined);
  const commons = devices.map(({ common }) => common);
  return devices.flatMap(({ common, edits }, at) => (commons.indexOf(common) === at ? [common, edits] : [edits]));
}
