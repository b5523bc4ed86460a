import type { Port } from '../../client/types.ts';

const key = ({ IP = '', Type }: Port) => (IP === '' ? Type : `${IP}/${Type}`);
const bracketed = (ip: string) => (ip.includes(':') ? `[${ip}]` : ip);

const span = (first: number, last: number) => (first === last ? String(first) : `${first}-${last}`);

function compare(a: Port, b: Port): number {
  return (
    a.PrivatePort - b.PrivatePort ||
    compareText(a.IP ?? '', b.IP ?? '') ||
    (a.PublicPort ?? 0) - (b.PublicPort ?? 0) ||
    compareText(a.Type, b.Type)
  );
}

const compareText = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);

/** Ports as in `ps`: neighbours are joined into ranges; published ones whose host port differs stand alone, last. */
export function displayPorts(ports: readonly Port[]): string {
  const groups = new Map<string, { first: number; last: number }>();
  const ranges: string[] = [];
  const mapped: string[] = [];
  const show = (name: string, { first, last }: { first: number; last: number }) => {
    const [ip, type] = name.includes('/') ? name.split('/') : ['', name];
    return ip ? `${bracketed(ip)}:${span(first, last)}->${span(first, last)}/${type}` : `${span(first, last)}/${type}`;
  };
  for (const port of [...ports].sort(compare)) {
    if ((port.IP ?? '') !== '' && port.PublicPort !== port.PrivatePort) {
      mapped.push(`${bracketed(port.IP ?? '')}:${port.PublicPort ?? 0}->${port.PrivatePort}/${port.Type}`);
      continue;
    }
    const name = key(port);
    const group = groups.get(name);
    if (group !== undefined && port.PrivatePort === group.last + 1) {
      group.last++;
      continue;
    }
    if (group !== undefined) ranges.push(show(name, group));
    groups.set(name, { first: port.PrivatePort, last: port.PrivatePort });
  }
  for (const [name, group] of [...groups].sort(
    ([a, first], [b, second]) => first.first - second.first || compareText(a, b),
  ))
    ranges.push(show(name, group));
  return [...ranges, ...mapped].join(', ');
}
