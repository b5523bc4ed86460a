import { readFile } from 'node:fs/promises';
import { PLAIN_DEFAULTS } from '../../engine/runtime-spec/spec-defaults.ts';
import { findProgram } from '../../kernel/host/find-program.ts';
import { invalid, messageOf } from '../../util/errors.ts';
import type { DaemonConfig, PartialConfig } from './config.ts';
import { defaultUlimits } from './limits-config.ts';

type SecurityConfig = Pick<DaemonConfig, 'specDefaults' | 'seccompProfile' | 'usernsRemap' | 'initPath'>;

/**
 * How containers are confined that do not say it, as configured. A profile's file is read once.
 *
 * @throws `invalid` for a profile that cannot be read or an init that is no program.
 */
export async function securityConfig(given: PartialConfig): Promise<SecurityConfig> {
  const profile = given['seccomp-profile'] || 'builtin';
  return {
    seccompProfile: profile === 'default' ? 'builtin' : profile,
    usernsRemap: given['userns-remap'] ?? '',
    initPath: initPath(given['init-path'] ?? ''),
    specDefaults: {
      seccomp: await profileText(profile),
      noNewPrivileges: given['no-new-privileges'] ?? PLAIN_DEFAULTS.noNewPrivileges,
      init: given.init ?? PLAIN_DEFAULTS.init,
      ulimits: defaultUlimits(given['default-ulimits']),
    },
  };
}

async function profileText(profile: string): Promise<string> {
  if (profile === 'unconfined') return profile;
  if (profile === 'builtin' || profile === 'default') return 'builtin';
  try {
    const text = await readFile(profile, 'utf8');
    JSON.parse(text);
    return text;
  } catch (error) {
    throw invalid(`opening seccomp profile (${profile}) failed: ${messageOf(error)}`, error);
  }
}

function initPath(path: string): string {
  if (path === '') return '';
  const found = findProgram(path);
  if (found === '') throw invalid(`init-path: "${path}" is not an executable file`);
  return found;
}
