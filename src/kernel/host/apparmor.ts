import { readFile } from 'node:fs/promises';
import { messageOf, unavailable } from '../../util/errors.ts';
import { run } from '../../util/spawn.ts';
import { findProgram } from './find-program.ts';

/** The name that dockerd gives it too: whichever engine comes first loads it, and the rules are the same. */
export const APPARMOR_PROFILE = 'docker-default';

const LOADED = '/sys/kernel/security/apparmor/profiles';

/** What each deny rule keeps a container from, beside what its other walls do already. Source: apparmor.d(5). */
const DENIED: readonly string[] = [
  // Files of /proc itself, and everything below it but the directories of processes and /proc/sys.
  '@{PROC}/* w',
  '@{PROC}/{[^1-9],[^1-9][^0-9],[^1-9s][^0-9y][^0-9s],[^1-9][^0-9][^0-9][^0-9/]*}/** w',
  // Of /proc/sys only kernel/shm*.
  '@{PROC}/sys/[^k]** w',
  '@{PROC}/sys/kernel/{?,??,[^s][^h][^m]**} w',
  '@{PROC}/sysrq-trigger rwklx',
  '@{PROC}/kcore rwklx',
  'mount',
  // Of /sys only fs/cgroup.
  '/sys/[^f]*/** wklx',
  '/sys/f[^s]*/** wklx',
  '/sys/fs/[^c]*/** wklx',
  '/sys/fs/c[^g]*/** wklx',
  '/sys/fs/cg[^r]*/** wklx',
  '/sys/firmware/** rwklx',
  '/sys/devices/virtual/powercap/** rwklx',
  '/sys/kernel/security/** rwklx',
];

/**
 * The text of the profile that confines containers. `engine` is the profile the engine itself runs under: it, the runtimes
 * and the host's unconfined processes may send signals to containers, which may send them to each other.
 */
export function apparmorProfileText(engine: string): string {
  const senders = [...new Set(['unconfined', 'runc', 'crun', engine])];
  return [
    '#include <tunables/global>',
    `profile ${APPARMOR_PROFILE} flags=(attach_disconnected,mediate_deleted) {`,
    '  #include <abstractions/base>',
    ...['network', 'capability', 'file', 'umount'].map((rule) => `  ${rule},`),
    ...senders.map((peer) => `  signal (receive) peer=${peer},`),
    `  signal (send,receive) peer=${APPARMOR_PROFILE},`,
    ...DENIED.map((rule) => `  deny ${rule},`),
    `  ptrace (trace,read,tracedby,readby) peer=${APPARMOR_PROFILE},`,
    '}',
    '',
  ].join('\n');
}

/** The profile's name out of `/proc/<pid>/attr/current`: `name (mode)`, or `unconfined`. */
export function confinementOf(text: string): string {
  return (
    text
      .replace(/\0/g, '')
      .trim()
      .replace(/ \(\w+\)$/, '') || 'unconfined'
  );
}

/**
 * Sees to it that the profile is in the kernel, which forgets it at a reboot.
 *
 * @throws `unavailable` with the parser's words when it cannot be loaded.
 */
export async function loadApparmorProfile(parser = findProgram('apparmor_parser'), loaded = LOADED): Promise<void> {
  const profiles = await readFile(loaded, 'utf8').catch(() => '');
  if (profiles.split('\n').some((line) => line.startsWith(`${APPARMOR_PROFILE} (`))) return;
  const engine = confinementOf(await readFile('/proc/self/attr/current', 'utf8').catch(() => ''));
  try {
    await run(parser, ['-Kr'], { input: apparmorProfileText(engine) });
  } catch (error) {
    throw unavailable(`the AppArmor profile ${APPARMOR_PROFILE} could not be loaded: ${messageOf(error)}`, error);
  }
}
