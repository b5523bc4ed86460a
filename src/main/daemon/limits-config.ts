import { writeFileSync } from 'node:fs';
import { bytes } from '../../cli/flags/values.ts';
import { ulimit } from '../../cli/run/flag-values.ts';
import { ULIMIT_NAMES } from '../../engine/runtime-spec/rlimits.ts';
import { PLAIN_DEFAULTS, type SpecDefaults } from '../../engine/runtime-spec/spec-defaults.ts';
import { invalid, messageOf } from '../../util/errors.ts';
import type { DaemonConfig, PartialConfig } from './config.ts';

type LimitsConfig = Pick<DaemonConfig, 'cgroupParent' | 'defaultShmSize' | 'oomScoreAdjust'>;

const SHM_BYTES = 64 << 20;

/** What containers get that do not name a limit, and the engine's own place when memory is short. @throws `invalid`. */
export function limitsConfig(given: PartialConfig): LimitsConfig {
  const parent = given['cgroup-parent'] ?? '';
  if (parent.split('/').includes('..')) throw invalid(`cgroup-parent: invalid cgroup parent: ${parent}`);
  const score = given['oom-score-adjust'] ?? 0;
  if (score < -1000 || score > 1000) throw invalid(`oom-score-adjust: ${score} is not within -1000 and 1000`);
  return { cgroupParent: parent, defaultShmSize: shmSize(given['default-shm-size']), oomScoreAdjust: score };
}

function shmSize(size: string | number | undefined): number {
  if (size === undefined) return SHM_BYTES;
  const value = typeof size === 'number' ? size : read('default-shm-size', () => bytes(size));
  if (value <= 0) throw invalid(`default-shm-size: ${size} is no size`);
  return value;
}

/** The limits of processes that containers get. The key of the file is a limit's name, as in dockerd's. */
export function defaultUlimits(given: PartialConfig['default-ulimits']): SpecDefaults['ulimits'] {
  const all = Object.entries(given ?? {}).map(([name, { Soft, Hard }]) => ({ Name: name, Soft, Hard }));
  for (const { Name, Soft, Hard } of all) {
    if (!ULIMIT_NAMES.includes(Name)) throw invalid(`default-ulimits: invalid ulimit type: ${Name}`);
    if (Hard !== -1 && (Soft === -1 || Soft > Hard)) {
      throw invalid(
        `default-ulimits: ${Name}: ulimit soft limit must be less than or equal to hard limit: ${Soft} > ${Hard}`,
      );
    }
  }
  return given === undefined ? PLAIN_DEFAULTS.ulimits : all;
}

/** The values of `--default-ulimit name=soft[:hard]` as the file has them. @throws `invalid`. */
export function ulimitFlags(flags: readonly string[]): NonNullable<PartialConfig['default-ulimits']> {
  const parsed = flags.map((flag) => read('default-ulimit', () => ulimit(flag)));
  return Object.fromEntries(parsed.map(({ Name, Soft, Hard }) => [Name, { Name, Soft, Hard }]));
}

function read<T>(name: string, parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    throw invalid(`${name}: ${messageOf(error)}`, error);
  }
}

/** Sets how likely the kernel takes the engine when memory is short. @throws `invalid` where it may not be lowered. */
export function setOomScore(score: number, path = '/proc/self/oom_score_adj'): void {
  if (score === 0) return;
  try {
    writeFileSync(path, String(score));
  } catch (error) {
    throw invalid(
      `oom-score-adjust: cannot be set to ${score}: this takes CAP_SYS_RESOURCE (${messageOf(error)})`,
      error,
    );
  }
}
