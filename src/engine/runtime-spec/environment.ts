const PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/**
 * The environment of a process: what Docker gives every one, overridden by `own`, in which a name without `=` takes
 * the variable away.
 */
export function environment(o: { hostname: string; tty: boolean; own: readonly (readonly string[])[] }): string[] {
  const base = [`PATH=${PATH}`, `HOSTNAME=${o.hostname}`, ...(o.tty ? ['TERM=xterm'] : [])];
  return o.own.reduce<string[]>(override, base);
}

/** Later values take the place of earlier ones, so that the order stays. */
function override(env: readonly string[], entries: readonly string[]): string[] {
  const result = new Map(env.map((entry) => [nameOf(entry), entry]));
  for (const entry of entries) {
    if (entry.includes('=')) result.set(nameOf(entry), entry);
    else result.delete(entry);
  }
  return [...result.values()];
}

function nameOf(entry: string): string {
  return entry.split('=', 1)[0] ?? '';
}
