/** A block of IPv4 addresses: the address as an unsigned 32-bit number, and the length of its prefix. */
export interface Cidr {
  address: number;
  prefix: number;
}

/** Parses dotted decimal; `undefined` when it is not an IPv4 address. */
export function parseIpv4(text: string): number | undefined {
  const match = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(text);
  if (match === null) return undefined;
  const bytes = match.slice(1).map(Number);
  if (bytes.some((byte) => byte > 255)) return undefined;
  return bytes.reduce((sum, byte) => sum * 256 + byte, 0);
}

export function formatIpv4(address: number): string {
  return [24, 16, 8, 0].map((shift) => (address >>> shift) & 255).join('.');
}

/** Parses `10.0.0.0/8`, or a bare address as a block of one; `undefined` when it is neither. */
export function parseCidr(text: string): Cidr | undefined {
  const [host = '', length = '32', ...rest] = text.split('/');
  const address = parseIpv4(host);
  const prefix = /^\d{1,2}$/.test(length) ? Number(length) : 99;
  if (address === undefined || prefix > 32 || rest.length > 0) return undefined;
  return { address, prefix };
}

export function formatCidr({ address, prefix }: Cidr): string {
  return `${formatIpv4(address)}/${prefix}`;
}

/** How many addresses a block holds, its network and broadcast address included. */
export function blockSize(prefix: number): number {
  return 2 ** (32 - prefix);
}

/** The block's first address: `10.1.2.3/8` gives `10.0.0.0/8`. */
export function networkOf({ address, prefix }: Cidr): Cidr {
  return { address: address - (address % blockSize(prefix)), prefix };
}

export function overlaps(a: Cidr, b: Cidr): boolean {
  const prefix = Math.min(a.prefix, b.prefix);
  return networkOf({ ...a, prefix }).address === networkOf({ ...b, prefix }).address;
}

/** The hardware address Docker gives an interface: 02:42 and the four bytes of its IPv4 address. */
export function macOf(address: number): string {
  const bytes = [24, 16, 8, 0].map((shift) => (address >>> shift) & 255);
  return ['02', '42', ...bytes.map((byte) => byte.toString(16).padStart(2, '0'))].join(':');
}
