import { readdirSync } from 'node:fs';
import { hasCode } from '../../util/errors.ts';

/** Where `ip netns` keeps its namespaces. */
export const NETNS_DIR = '/run/netns';

/** Six hex digits that tell engines apart in names with little room. */
export type EngineTag = string;

export const netnsName = (tag: EngineTag, serial: number): string => `gantry-${tag}-${serial.toString(16)}`;

/** The host's end of the pair; at most 14 characters, an interface may have 15. */
export const vethName = (tag: EngineTag, serial: number): string => `gv${tag}${serial.toString(16)}`;

export const netnsPath = (name: string): string => `${NETNS_DIR}/${name}`;

/** Serial numbers start again after this many; six hex digits. */
const SERIALS = 0x1_00_00_00;

/** The engine's namespaces there are, by name. */
export function listNetns(tag: EngineTag): string[] {
  return listDir(NETNS_DIR).filter((name) => name.startsWith(`gantry-${tag}-`));
}

/** The engine's interface pairs there are, by the name of the host's end. */
export function listVeths(tag: EngineTag): string[] {
  return listDir('/sys/class/net').filter((name) => name.startsWith(`gv${tag}`));
}

/** The highest serial number in names of ours; 0 when there is none. */
function lastSerial(names: readonly string[]): number {
  const numbers = names.map((name) => Number.parseInt(name.replace(/^g(antry-|v)[^-]{6}-?/, ''), 16) || 0);
  return Math.max(0, ...numbers);
}

/** Hands out serial numbers that no namespace and no interface of the engine has. */
export function serials(tag: EngineTag): () => number {
  let serial = Math.max(lastSerial(listNetns(tag)), lastSerial(listVeths(tag)));
  return () => {
    serial = (serial + 1) % SERIALS;
    return serial;
  };
}

function listDir(path: string): string[] {
  try {
    return readdirSync(path);
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return [];
    throw error;
  }
}
