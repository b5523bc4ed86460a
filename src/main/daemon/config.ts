import { isDeepStrictEqual } from 'node:util';
import * as v from 'valibot';
import type { SpecDefaults } from '../../engine/runtime-spec/spec-defaults.ts';
import type { RuntimeWish } from '../../kernel/host/configured-runtime.ts';
import type { RegistrySettings } from '../../remote/registries.ts';
import { LOG_LEVELS } from '../../util/log.ts';

const names = v.array(v.string());

const RuntimeSchema = v.strictObject({
  path: v.optional(v.string()),
  runtimeArgs: v.optional(names),
  runtimeType: v.optional(v.string()),
  options: v.optional(v.record(v.string(), v.unknown())),
});

/** -1 is unlimited. The name is in the key already. */
const UlimitSchema = v.object({
  Name: v.optional(v.string()),
  Soft: v.pipe(v.number(), v.safeInteger()),
  Hard: v.pipe(v.number(), v.safeInteger()),
});

/** The keys of `daemon.json`, which are also the long flags; a list's flag is its singular and may be repeated. */
export const ConfigSchema = v.strictObject({
  'data-root': v.optional(v.string()),
  'exec-root': v.optional(v.string()),
  hosts: v.optional(names),
  pidfile: v.optional(v.string()),
  debug: v.optional(v.boolean()),
  'log-level': v.optional(v.picklist(LOG_LEVELS)),
  'log-driver': v.optional(v.string()),
  'log-opts': v.optional(v.record(v.string(), v.string())),
  group: v.optional(v.string()),
  'default-runtime': v.optional(v.string()),
  runtimes: v.optional(v.record(v.string(), RuntimeSchema)),
  bip: v.optional(v.string()),
  dns: v.optional(names),
  'default-ipc-mode': v.optional(v.string()),
  'default-cgroupns-mode': v.optional(v.string()),
  'cdi-spec-dirs': v.optional(names),
  'seccomp-profile': v.optional(v.string()),
  'no-new-privileges': v.optional(v.boolean()),
  'userns-remap': v.optional(v.string()),
  init: v.optional(v.boolean()),
  'init-path': v.optional(v.string()),
  'live-restore': v.optional(v.boolean()),
  'shutdown-timeout': v.optional(v.pipe(v.number(), v.safeInteger())),
  'default-stop-timeout': v.optional(v.pipe(v.number(), v.safeInteger())),
  'cgroup-parent': v.optional(v.string()),
  'default-shm-size': v.optional(v.union([v.string(), v.pipe(v.number(), v.safeInteger())])),
  'default-ulimits': v.optional(v.record(v.string(), UlimitSchema)),
  'oom-score-adjust': v.optional(v.pipe(v.number(), v.safeInteger())),
  'registry-mirrors': v.optional(names),
  'insecure-registries': v.optional(names),
  'registry-certs-dirs': v.optional(names),
  'max-concurrent-downloads': v.optional(v.pipe(v.number(), v.safeInteger())),
  'max-concurrent-uploads': v.optional(v.pipe(v.number(), v.safeInteger())),
});

/** What was asked for, by flags or file; an absent key means the default. */
export type PartialConfig = v.InferOutput<typeof ConfigSchema>;

/** The daemon's configuration, complete. Paths are absolute. */
export interface DaemonConfig {
  readonly dataRoot: string;
  readonly execRoot: string;
  /** Where the API listens, `unix:///path`. */
  readonly hosts: readonly string[];
  readonly pidfile: string;
  readonly debug: boolean;
  readonly logLevel: (typeof LOG_LEVELS)[number];
  /** What containers that say nothing of their log get. */
  readonly logConfig: { readonly Type: string; readonly Config: Readonly<Record<string, string>> };
  /** Group that may use the socket; undefined: `docker`, if there is such a group. */
  readonly group: string | undefined;
  readonly defaultRuntime: string | undefined;
  readonly runtimes: Readonly<Record<string, RuntimeWish>>;
  readonly bip: string | undefined;
  readonly dns: readonly string[];
  readonly defaultIpcMode: 'private' | 'shareable';
  /** Undefined: by the version of the host's cgroups. */
  readonly defaultCgroupnsMode: 'private' | 'host' | undefined;
  /** Where devices are described that containers request by name; later ones win. */
  readonly cdiSpecDirs: readonly string[];
  /** Seconds that containers have to end which do not say it. */
  readonly defaultStopTimeout: number;
  /** Seconds that a container has at most when the host goes down; when the engine alone ends it stays. Undefined: its own time. */
  readonly shutdownTimeout: number | undefined;
  /** Where the control groups of containers are that name no place; empty: in `/docker`. */
  readonly cgroupParent: string;
  /** Bytes of /dev/shm in containers that do not say it. */
  readonly defaultShmSize: number;
  /** Of the engine's own process; 0: as it was started. */
  readonly oomScoreAdjust: number;
  readonly registries: RegistrySettings;
  /** Layers downloaded at a time, by all pulls together. */
  readonly maxConcurrentDownloads: number;
  /** Layers uploaded at a time, by all pushes together. */
  readonly maxConcurrentUploads: number;
  readonly specDefaults: SpecDefaults;
  /** `builtin`, `unconfined` or the file of a profile. */
  readonly seccompProfile: string;
  /** Whose subordinate ids containers have: `default`, `user` or `user:group`; empty: they have the host's. */
  readonly usernsRemap: string;
  /** The program of `--init`; empty: the host's tini. */
  readonly initPath: string;
}

/** What a reload takes over; everything else is read once, at the start. */
const CHANGEABLE: readonly (keyof DaemonConfig)[] = [
  'debug',
  'logLevel',
  'registries',
  'maxConcurrentDownloads',
  'maxConcurrentUploads',
  'defaultShmSize',
  'defaultIpcMode',
  'shutdownTimeout',
];

/** The settings that differ and cannot change while the daemon runs. */
export function waitingForRestart(running: DaemonConfig, again: DaemonConfig): string[] {
  const settings = Object.keys(running) as (keyof DaemonConfig)[];
  return settings.filter((name) => !CHANGEABLE.includes(name) && !isDeepStrictEqual(running[name], again[name]));
}

/** The path of a host to listen on, as {@link DaemonConfig.hosts} has them. */
export function socketPath(host: string): string {
  return host.slice('unix://'.length);
}
