import { readFileSync } from 'node:fs';
import { hasCode } from '../../util/errors.ts';

/** What went through a network interface since it is there. */
export interface InterfaceCounters {
  readonly rxBytes: number;
  readonly rxPackets: number;
  readonly rxErrors: number;
  readonly rxDropped: number;
  readonly txBytes: number;
  readonly txPackets: number;
  readonly txErrors: number;
  readonly txDropped: number;
}

/**
 * The interfaces of the network a process is in that an engine gave it, by name; none when the process is gone. The kernel shows
 * each process its own namespace's, so nothing has to be entered. Source: proc(5) `/proc/net/dev`.
 */
export function interfaceCounters(pid: number): Record<string, InterfaceCounters> {
  try {
    return parseCounters(readFileSync(`/proc/${pid}/net/dev`, 'utf8'));
  } catch (error) {
    if (hasCode(error, 'ENOENT', 'ESRCH', 'EINVAL')) return {};
    throw error;
  }
}

/** Loopback and the kernel's own tunnels, which some hosts put into every namespace, are left out. */
export function parseCounters(text: string): Record<string, InterfaceCounters> {
  const found: Record<string, InterfaceCounters> = {};
  for (const [, name = '', values = ''] of text.matchAll(/^ *(eth\d+): *(.*)$/gm)) {
    const at = values.trim().split(/\s+/).map(Number);
    const [rxBytes = 0, rxPackets = 0, rxErrors = 0, rxDropped = 0] = at;
    const [txBytes = 0, txPackets = 0, txErrors = 0, txDropped = 0] = at.slice(8);
    found[name] = { rxBytes, rxPackets, rxErrors, rxDropped, txBytes, txPackets, txErrors, txDropped };
  }
  return found;
}
