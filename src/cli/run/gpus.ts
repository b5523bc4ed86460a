import { csvFields } from './csv-fields.ts';

export interface DeviceRequest {
  Driver: string;
  Count: number;
  DeviceIDs: string[] | null;
  Capabilities: string[][];
  Options: Record<string, string>;
}

function count(value: string): number {
  if (value === 'all') return -1;
  if (!/^-?\d+$/.test(value))
    throw new Error(`invalid count (${value}): value must be either "all" or an integer: invalid syntax`);
  return Number(value);
}

/** Reads a `--gpus` value: `all`, a number, or `device=…,capabilities=…`. @throws an Error with Docker's reason. */
export function parseGpus(raw: string): DeviceRequest {
  const request: DeviceRequest = { Driver: '', Count: 0, DeviceIDs: null, Capabilities: [['gpu']], Options: {} };
  const seen = new Set<string>();
  for (const field of csvFields(raw)) {
    const [key = '', value] = field.split(/=(.*)/s);
    if (seen.has(key)) throw new Error(`gpu request key '${key}' can be specified only once`);
    seen.add(key);
    if (value === undefined) {
      seen.add('count');
      request.Count = count(key);
    } else setField(request, key, value);
  }
  if (!seen.has('count') && request.DeviceIDs === null) request.Count = 1;
  return request;
}

function setField(request: DeviceRequest, key: string, value: string): void {
  if (key === 'driver') request.Driver = value;
  else if (key === 'count') request.Count = count(value);
  else if (key === 'device') request.DeviceIDs = value.split(',');
  else if (key === 'capabilities') request.Capabilities = [[...value.split(','), 'gpu']];
  else if (key === 'options') {
    request.Options = Object.fromEntries(
      csvFields(value).map((option) => option.split(/=(.*)/s).slice(0, 2) as [string, string]),
    );
  } else throw new Error(`unexpected key '${key}' in '${key}=${value}'`);
}
