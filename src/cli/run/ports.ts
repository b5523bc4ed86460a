import { isIP } from 'node:net';
import { invalid } from '../../util/errors.ts';

export interface PortMap {
  exposed: Record<string, object>;
  bindings: Record<string, { HostIp: string; HostPort: string }[]>;
}

const PROTOCOLS = ['tcp', 'udp', 'sctp'];

function portNumber(text: string): number {
  const value = /^\d+$/.test(text) ? Number(text) : -1;
  return value > 65_535 ? -1 : value;
}

/** `n` or `n-m`. Gives undefined for anything else. */
function range(text: string): [number, number] | undefined {
  const [first = '', last = first, extra] = text.split('-');
  const [from, to] = [portNumber(first), portNumber(last)];
  return from < 0 || to < from || extra !== undefined ? undefined : [from, to];
}

/** Takes `[ip:][host]:container[/proto]` apart; an IPv6 address stands in brackets. */
function parts(spec: string): { ip: string; host: string; container: string } {
  const v6 = /^\[([^\]]*)\]:(.*)$/.exec(spec);
  const rest = v6 === null ? spec : (v6[2] ?? '');
  const words = rest.split(':');
  if (v6 !== null) return { ip: v6[1] ?? '', host: words.slice(0, -1).join(':'), container: words.at(-1) ?? '' };
  if (words.length <= 1) return { ip: '', host: '', container: words[0] ?? '' };
  if (words.length === 2) return { ip: '', host: words[0] ?? '', container: words[1] ?? '' };
  return { ip: words.slice(0, -2).join(':'), host: words.at(-2) ?? '', container: words.at(-1) ?? '' };
}

/** `--publish` in its long form, `target=80,published=8080,protocol=tcp`, to the short one. */
function longForm(spec: string): string {
  const fields = new Map<string, string>();
  for (const field of spec.split(',')) {
    const [key = '', value] = field.split('=');
    if (value === undefined || value === '') throw invalid(`invalid field ${field}`);
    if (!['protocol', 'mode', 'target', 'published'].includes(key)) throw invalid(`invalid field key ${key}`);
    fields.set(key, value);
  }
  const target = fields.get('target');
  if (target === undefined) throw invalid(`missing mandatory field "target"`);
  return `${fields.get('published') ?? ''}:${target}/${fields.get('protocol') ?? 'tcp'}`;
}

/** Reads all `--publish` values. @throws `invalid` with Docker's texts. */
export function parsePublish(specs: readonly string[]): PortMap {
  const map: PortMap = { exposed: {}, bindings: {} };
  for (const raw of specs) publish(map, raw.includes('=') ? longForm(raw) : raw);
  return map;
}

function publish(map: PortMap, raw: string): void {
  const [spec = '', protocol = 'tcp', extra] = raw.split('/');
  const { ip, host, container } = parts(spec);
  if (container === '') throw invalid(`no port specified: ${raw}<empty>`);
  if (extra !== undefined || !PROTOCOLS.includes(protocol.toLowerCase())) throw invalid(`invalid proto: ${protocol}`);
  if (ip !== '' && isIP(ip) === 0) throw invalid(`invalid IP address: ${ip}`);
  const inside = range(container);
  if (inside === undefined) throw invalid(`invalid containerPort: ${container}`);
  const outside = host === '' ? undefined : range(host);
  if (host !== '' && outside === undefined) throw invalid(`invalid hostPort: ${host}`);
  const length = inside[1] - inside[0];
  if (outside !== undefined && outside[1] - outside[0] !== length && length !== 0) {
    throw invalid(`invalid ranges specified for container and host Ports: ${container} and ${host}`);
  }
  for (let at = 0; at <= length; at++) {
    const key = `${inside[0] + at}/${protocol.toLowerCase()}`;
    map.exposed[key] = {};
    map.bindings[key] ??= [];
    map.bindings[key].push({ HostIp: ip, HostPort: hostPort(outside, at, length) });
  }
}

/** One container port may ask for any port of a host range; ranges of equal length go pairwise. */
function hostPort(outside: [number, number] | undefined, at: number, length: number): string {
  if (outside === undefined) return '';
  if (length === 0 && outside[1] > outside[0]) return `${outside[0]}-${outside[1]}`;
  return String(outside[0] + at);
}

/** Reads `--expose` values, ports or ranges. @throws `invalid` with Docker's texts. */
export function parseExpose(specs: readonly string[]): Record<string, object> {
  const exposed: Record<string, object> = {};
  for (const raw of specs) {
    if (raw.includes(':')) throw invalid(`invalid port format for --expose: ${raw}`);
    const [ports = '', protocol = 'tcp'] = raw.split('/');
    const span = range(ports);
    if (span === undefined) {
      const bad = ports.split('-').find((one) => portNumber(one) < 0) ?? ports;
      throw invalid(
        `invalid range format for --expose: ${raw}, error: strconv.ParseUint: parsing ${JSON.stringify(bad)}: invalid syntax`,
      );
    }
    for (let port = span[0]; port <= span[1]; port++) exposed[`${port}/${protocol.toLowerCase()}`] = {};
  }
  return exposed;
}
