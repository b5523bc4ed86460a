import { invalid } from '../../util/errors.ts';

const PORT_LIMIT = 65_535;

/**
 * Ports of `80`, `80/udp`, `90-92/tcp` as config keys. Host parts (`ip:host:container`) are allowed and dropped.
 *
 * @throws `invalid` in Docker's words.
 */
export function exposedPorts(spec: string): string[] {
  const [ports = '', protocol = 'tcp', ...more] = spec.split('/');
  const range = ports.split(':').at(-1) ?? '';
  if (range === '') throw invalid(`No port specified: ${spec}<empty>`);
  const bounds = /^(\d+)(?:-(\d+))?$/.exec(range);
  const first = Number(bounds?.[1] ?? Number.NaN);
  const last = Number(bounds?.[2] ?? first);
  if (!(first <= last && last <= PORT_LIMIT)) throw invalid(`Invalid containerPort: ${range}`);
  const proto = protocol.toLowerCase();
  if (more.length > 0 || !['tcp', 'udp', 'sctp'].includes(proto)) throw invalid(`Invalid proto: ${protocol}`);
  return Array.from({ length: last - first + 1 }, (_, index) => `${first + index}/${proto}`);
}
