import { parseArgs } from 'node:util';
import * as v from 'valibot';
import { invalid, messageOf } from '../../util/errors.ts';
import { goBool } from '../../util/go-bool.ts';
import { ConfigSchema, type PartialConfig } from './config.ts';
import { ulimitFlags } from './limits-config.ts';

export const DEFAULT_CONFIG_FILE = '/etc/gantry/daemon.json';

export const DAEMON_USAGE = `Usage:  gantry daemon [OPTIONS]

Run the engine

Options:
      --add-runtime runtime      Register an OCI runtime, as NAME=PATH (repeatable)
      --bip string               Address and prefix length of the default bridge, e.g. 10.1.0.1/16
      --cgroup-parent string     Control group that containers are put below which name none
      --cdi-spec-dir list        Where CDI specifications of devices are (repeatable, default "/etc/cdi", "/var/run/cdi")
      --config-file string       Configuration file (default "${DEFAULT_CONFIG_FILE}")
      --data-root string         Where images, containers and volumes are kept (default "/var/lib/gantry")
  -D, --debug                    Log more
      --default-cgroupns-mode string   Cgroup namespace of containers that name none ("host", "private")
      --default-ipc-mode string  Shared memory of containers that name none ("private", "shareable") (default "private")
      --default-runtime string   OCI runtime of containers that name none
      --default-shm-size bytes   Size of /dev/shm in containers that do not say it (default 64MiB)
      --default-stop-timeout int Seconds that containers have to end which do not say it (default 10)
      --default-ulimit ulimit    Limit of processes in containers that do not name it, as NAME=SOFT[:HARD] (repeatable)
      --dns list                 DNS server of containers that name none (repeatable)
      --exec-root string         Where the state of running containers is kept (default "/run/gantry")
  -G, --group string             Group that may use the socket (default "docker")
      --help                     Print usage
      --init                     Run an init in containers that do not say otherwise
      --init-path string         Path of that init (default: the host's tini)
      --max-concurrent-downloads int   Layers downloaded at a time (default 3)
      --max-concurrent-uploads int     Layers uploaded at a time (default 5)
      --no-new-privileges        Set no-new-privileges for containers that do not say otherwise
      --registry-certs-dir list  Where each registry may have a directory of certificates, and a hosts.toml (repeatable,
                                 default "/etc/gantry/certs.d", "/etc/docker/certs.d")
      --registry-mirror list     Mirror of the official registry (repeatable)
      --seccomp-profile string   Seccomp profile of containers that name none: a file, "builtin" or "unconfined"
  -H, --host list                Socket to listen on (repeatable, default "unix:///run/gantry/gantry.sock")
      --insecure-registry list   Registry without a good certificate, as HOST[:PORT] or network (repeatable)
      --live-restore             Keep containers running when the engine ends: always so
      --log-driver string        Log driver of containers that name none (default "json-file")
  -l, --log-level string         "debug", "info", "warn", "error" or "fatal" (default "info")
      --log-opt list             Option of the log driver, as NAME=VALUE (repeatable)
      --oom-score-adjust int     The engine's own oom_score_adj
  -p, --pidfile string           Where to write the process id (default "<exec-root>/gantry.pid")
      --shutdown-timeout int     Seconds that containers have at most when the host goes down (default: each its own)
      --userns-remap string      Whose subordinate ids containers have: "default", USER[:GROUP] or UID[:GID]
  -v, --version                  Print version information
`;

/** What the command line of `gantry daemon` says. */
export interface DaemonFlags {
  readonly config: PartialConfig;
  /** Undefined: the default file, which need not exist. */
  readonly configFile: string | undefined;
  readonly help: boolean;
  readonly version: boolean;
}

const options = {
  'add-runtime': { type: 'string', multiple: true },
  bip: { type: 'string' },
  'cdi-spec-dir': { type: 'string', multiple: true },
  'cgroup-parent': { type: 'string' },
  'config-file': { type: 'string' },
  'data-root': { type: 'string' },
  debug: { type: 'boolean', short: 'D' },
  'default-cgroupns-mode': { type: 'string' },
  'default-ipc-mode': { type: 'string' },
  'default-runtime': { type: 'string' },
  'default-shm-size': { type: 'string' },
  'default-stop-timeout': { type: 'string' },
  'default-ulimit': { type: 'string', multiple: true },
  dns: { type: 'string', multiple: true },
  'exec-root': { type: 'string' },
  group: { type: 'string', short: 'G' },
  help: { type: 'boolean' },
  host: { type: 'string', short: 'H', multiple: true },
  init: { type: 'boolean' },
  'init-path': { type: 'string' },
  'insecure-registry': { type: 'string', multiple: true },
  'live-restore': { type: 'boolean' },
  'log-driver': { type: 'string' },
  'log-level': { type: 'string', short: 'l' },
  'log-opt': { type: 'string', multiple: true },
  'max-concurrent-downloads': { type: 'string' },
  'max-concurrent-uploads': { type: 'string' },
  'no-new-privileges': { type: 'boolean' },
  'oom-score-adjust': { type: 'string' },
  pidfile: { type: 'string', short: 'p' },
  'registry-certs-dir': { type: 'string', multiple: true },
  'registry-mirror': { type: 'string', multiple: true },
  'seccomp-profile': { type: 'string' },
  'shutdown-timeout': { type: 'string' },
  'userns-remap': { type: 'string' },
  version: { type: 'boolean', short: 'v' },
} as const;

/** Parses the daemon's flags, which are named as dockerd's. @throws `invalid` for an unknown flag or a bad value. */
export function parseDaemonFlags(args: readonly string[]): DaemonFlags {
  const parsed = parse(args);
  const {
    'add-runtime': runtimes,
    'cdi-spec-dir': cdi,
    'config-file': configFile,
    'log-opt': logOpts,
    host,
    'default-stop-timeout': stopTimeout,
    'shutdown-timeout': shutdownTimeout,
    'default-ulimit': ulimits,
    'oom-score-adjust': oomScore,
    'insecure-registry': insecure,
    'registry-mirror': mirrors,
    'registry-certs-dir': certsDirs,
    'max-concurrent-downloads': downloads,
    'max-concurrent-uploads': uploads,
    help,
    version,
    ...rest
  } = parsed;
  const given = {
    ...rest,
    ...whole('default-stop-timeout', stopTimeout),
    ...whole('shutdown-timeout', shutdownTimeout),
    ...whole('oom-score-adjust', oomScore),
    ...whole('max-concurrent-downloads', downloads),
    ...whole('max-concurrent-uploads', uploads),
    ...(insecure === undefined ? {} : { 'insecure-registries': insecure }),
    ...(mirrors === undefined ? {} : { 'registry-mirrors': mirrors }),
    ...(certsDirs === undefined ? {} : { 'registry-certs-dirs': certsDirs }),
    ...(ulimits === undefined ? {} : { 'default-ulimits': ulimitFlags(ulimits) }),
    ...(host === undefined ? {} : { hosts: host }),
    ...(cdi === undefined ? {} : { 'cdi-spec-dirs': cdi }),
    ...(logOpts === undefined ? {} : { 'log-opts': Object.fromEntries(logOpts.map(parseLogOption)) }),
    ...(runtimes === undefined ? {} : { runtimes: Object.fromEntries(runtimes.map(parseRuntime)) }),
  };
  const config = v.safeParse(ConfigSchema, given);
  if (!config.success) {
    const [issue] = config.issues;
    throw invalid(`invalid value for --${v.getDotPath(issue) ?? ''}: ${issue.message}`);
  }
  return { config: config.output, configFile, help: help === true, version: version === true };
}

function parse(args: readonly string[]) {
  const { words, off } = withoutBooleans(args);
  try {
    const { values } = parseArgs({ args: words, options, strict: true, allowPositionals: false });
    return { ...values, ...off };
  } catch (error) {
    throw invalid(messageOf(error), error);
  }
}

type Switch = {
  [Name in keyof typeof options]: (typeof options)[Name]['type'] extends 'boolean' ? Name : never;
}[keyof typeof options];

const isSwitch = (name: string): name is Switch =>
  name in options && options[name as keyof typeof options].type === 'boolean';

/** Takes out the values of switches (`--init=false`), which the parser does not know; of several the last one counts. */
function withoutBooleans(args: readonly string[]): { words: string[]; off: Partial<Record<Switch, false>> } {
  const off: Partial<Record<Switch, false>> = {};
  const words = args.flatMap((word) => {
    const [, name = '', value = 'true'] = /^--([a-z-]+)(?:=(.*))?$/s.exec(word) ?? [];
    if (!isSwitch(name)) return [word];
    const on = goBool(value);
    if (on === undefined)
      throw invalid(
        `invalid argument "${value}" for "--${name}" flag: strconv.ParseBool: parsing "${value}": invalid syntax`,
      );
    if (on) delete off[name];
    else off[name] = false;
    return on ? [`--${name}`] : [];
  });
  return { words, off };
}

function parseRuntime(text: string): [string, { path: string }] {
  const [, name, path] = /^([a-zA-Z0-9][a-zA-Z0-9_.-]*)=(.+)$/.exec(text) ?? [];
  if (name === undefined || path === undefined) throw invalid(`invalid runtime: ${text}: expected NAME=PATH`);
  return [name, { path }];
}

function whole(name: string, text: string | undefined): Record<string, number> {
  if (text === undefined) return {};
  if (!/^-?\d+$/.test(text)) throw invalid(`invalid value for --${name}: expected a whole number`);
  return { [name]: Number(text) };
}

function parseLogOption(text: string): [string, string] {
  const at = text.indexOf('=');
  if (at < 1) throw invalid(`bad format for log-opt: ${text}: expected NAME=VALUE`);
  return [text.slice(0, at), text.slice(at + 1)];
}
