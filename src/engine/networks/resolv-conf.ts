/** The parts of a resolv.conf(5). */
export interface ResolvConf {
  nameservers: string[];
  search: string[];
  options: string[];
}

/** What Docker falls back to when the host has no resolver a container could reach. */
const FALLBACK = ['8.8.8.8', '8.8.4.4'];

const isLoopback = (address: string): boolean => /^127\.|^::1$/.test(address);

/** A loopback address is another host inside a container, and our containers have no IPv6. */
const isReachable = (address: string): boolean => !isLoopback(address) && !address.includes(':');

/** Parses the file; the last `search` (or `domain`) counts, options add up. */
export function parseResolvConf(text: string): ResolvConf {
  const conf: ResolvConf = { nameservers: [], search: [], options: [] };
  for (const line of text.split('\n')) {
    const [word = '', ...values] = line
      .replace(/[#;].*/, '')
      .trim()
      .split(/\s+/);
    if (word === 'nameserver' && values[0] !== undefined) conf.nameservers.push(values[0]);
    if (word === 'search' || word === 'domain') conf.search = values;
    if (word === 'options') conf.options.push(...values);
  }
  return conf;
}

/** True when the file only points at systemd-resolved's stub, whose real servers stand in another file. */
export function isStubOnly(text: string): boolean {
  const { nameservers } = parseResolvConf(text);
  return nameservers.length === 1 && nameservers[0] === '127.0.0.53';
}

function format({ nameservers, search, options }: ResolvConf): string {
  const searchList = search.join(' ');
  return [
    ...(searchList === '' || searchList === '.' ? [] : [`search ${searchList}`]),
    ...nameservers.map((server) => `nameserver ${server}`),
    ...(options.join('') === '' ? [] : [`options ${options.join(' ')}`]),
    '',
  ].join('\n');
}

/**
 * The file a container gets, from the host's and what was asked for. Nothing asked for: the host's text without the
 * servers that cannot be reached from inside. Else it is written anew, each part asked for replacing the host's;
 * a search list of `.` means none.
 */
export function containerResolvConf(host: string, asked: ResolvConf): string {
  const own = parseResolvConf(host);
  const reachable = own.nameservers.filter(isReachable);
  const servers = reachable.length > 0 ? reachable : FALLBACK;
  if (asked.nameservers.length + asked.search.length + asked.options.length === 0) {
    return filtered(host, reachable.length === 0);
  }
  return format({
    nameservers: asked.nameservers.length > 0 ? asked.nameservers : servers,
    search: asked.search.length > 0 ? asked.search : own.search,
    options: asked.options.length > 0 ? asked.options : own.options,
  });
}

function filtered(host: string, addFallback: boolean): string {
  const kept = host
    .split('\n')
    .filter((line) => isReachable(/^\s*nameserver\s+(\S+)/.exec(line)?.[1] ?? ''))
    .join('\n');
  if (!addFallback) return kept;
  const before = kept === '' || kept.endsWith('\n') ? kept : `${kept}\n`;
  return `${before}${FALLBACK.map((server) => `nameserver ${server}\n`).join('')}`;
}
