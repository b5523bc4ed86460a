import { csvFields } from './csv-fields.ts';

/** One `--network` value: a network and what the container asks of it. */
export interface NetworkRequest {
  target: string;
  aliases: string[];
  driverOpts: Record<string, string>;
  linkLocalIps: string[];
  ipv4?: string;
  ipv6?: string;
  mac?: string;
  gwPriority?: number;
  /** Given as fields, not as a bare name. */
  advanced: boolean;
}

/** Reads `name` or `name=…,alias=…,ip=…`. @throws an Error with Docker's reason. */
export function parseNetwork(raw: string): NetworkRequest {
  const request: NetworkRequest = { target: '', aliases: [], driverOpts: {}, linkLocalIps: [], advanced: false };
  if (!raw.includes('=')) return { ...request, target: raw };
  request.advanced = true;
  for (const field of csvFields(raw)) setField(request, field);
  if (request.target === '') throw new Error('network name/id is not specified');
  return request;
}

function setField(request: NetworkRequest, field: string): void {
  const at = field.indexOf('=');
  if (at < 0) throw new Error(`invalid field ${field}`);
  const key = field.slice(0, at).trim().toLowerCase();
  const value = field.slice(at + 1).trim();
  switch (key) {
    case 'name':
      request.target = value;
      return;
    case 'alias':
      request.aliases.push(value);
      return;
    case 'ip':
      request.ipv4 = value;
      return;
    case 'ip6':
      request.ipv6 = value;
      return;
    case 'mac-address':
      request.mac = value;
      return;
    case 'link-local-ip':
      request.linkLocalIps.push(value);
      return;
    case 'driver-opt': {
      const [name = '', option] = value.split(/=(.*)/s);
      if (option === undefined) throw new Error('invalid key value pair format in driver options');
      request.driverOpts[name.trim().toLowerCase()] = option.trim();
      return;
    }
    case 'gw-priority':
      if (!/^-?\d+$/.test(value)) throw new Error(`invalid gw-priority (${value}): invalid syntax`);
      request.gwPriority = Number(value);
      return;
    default:
      throw new Error(`invalid field key ${key}`);
  }
}
