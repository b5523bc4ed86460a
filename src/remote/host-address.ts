import { lookup } from 'node:dns/promises';
import { BlockList, isIP } from 'node:net';

/** The addresses of a name, none when it has none. */
export async function resolveHost(name: string): Promise<string[]> {
  try {
    return (await lookup(name, { all: true })).map(({ address }) => address);
  } catch {
    // Whoever connects will be told.
    return [];
  }
}

/** Whether an address is in a network like `10.0.0.0/8`; false also for what is not a network. */
export function inNetwork(address: string, network: string): boolean {
  const [base = '', prefix = ''] = network.split('/');
  const family = isIP(base);
  if (family === 0 || isIP(address) !== family || !/^\d+$/.test(prefix) || Number(prefix) > (family === 4 ? 32 : 128))
    return false;
  const type = family === 4 ? 'ipv4' : 'ipv6';
  const list = new BlockList();
  list.addSubnet(base, Number(prefix), type);
  return list.check(address, type);
}
