import type { Client } from '../client/client.ts';
import { invalid, messageOf } from '../util/errors.ts';
import { type Command, type CommandContext, ExitError, type Surroundings } from './command.ts';
import { COMMON, GROUPS, type Group, type Listed, OTHERS } from './command-list.ts';
import type { FlagSpec } from './flags/flag-spec.ts';
import { type ParsedFlags, parseFlags, UsageError } from './flags/parse-flags.ts';
import { globalFlags, LOG_LEVEL_NAMES } from './global-flags.ts';

/** What the composition root gives the command line. */
export interface CliOptions extends Surroundings {
  /** The program's name in texts. */
  program: string;
  version: string;
  /** Opens a client. `host` is undefined when the user named none: the root then picks its own default. */
  connect(options: ConnectOptions): Promise<Client>;
  /** Runs `daemon` with the words after it; gives the exit status. */
  daemon(words: readonly string[]): Promise<number>;
  /** Runs `service` likewise. */
  service(words: readonly string[]): Promise<number>;
}

export interface ConnectOptions {
  host: string | undefined;
  tls: { enabled: boolean; verify: boolean; ca: string; cert: string; key: string };
}

/** Runs the command line: `words` are its arguments without the program. Gives the exit status; never throws. */
export async function runCli(words: readonly string[], options: CliOptions): Promise<number> {
  try {
    return await dispatch(words, options);
  } catch (error) {
    const status = error instanceof ExitError ? error.status : 1;
    const message = messageOf(error);
    if (message !== '') options.stderr.write(`${message}\n`);
    return status;
  }
}

async function dispatch(words: readonly string[], options: CliOptions): Promise<number> {
  const { program, stdout } = options;
  const specs = globalFlags(configHome(options.env));
  const globals = parseOrExplain(program, '[OPTIONS] COMMAND [ARG...]', specs, words, false);
  if (globals.bool('version')) {
    stdout.write(`Gantry version ${options.version}\n`);
    return 0;
  }
  const level = globals.text('log-level');
  if (level !== '' && !LOG_LEVEL_NAMES.includes(level))
    throw new ExitError(1, `Unable to parse logging level: ${level}`);
  const [name, ...rest] = globals.args;
  if (name === undefined || globals.bool('help')) {
    const { programHelp } = await import('./help.ts');
    (name === undefined && !globals.bool('help') ? options.stderr : stdout).write(programHelp(program, specs, stdout));
    return 0;
  }
  if (name === 'help') return help(rest, options);
  if (name === 'daemon' || name === 'service') return options[name](rest);
  const group = own(GROUPS, name);
  if (group !== undefined) return runGroup(name, group, rest, options, globals);
  const listed = own(COMMON, name) ?? own(OTHERS, name);
  if (listed === undefined) throw new ExitError(1, unknownCommand(program, `${program} ${name}`));
  return runCommand(`${program} ${name}`, listed, rest, options, globals);
}

const configHome = (env: CliOptions['env']): string => env['DOCKER_CONFIG'] ?? `${env['HOME'] ?? ''}/.docker`;

/** What a word of the user names; `constructor` and the like, which every object has, name nothing. */
function own<T>(names: Readonly<Record<string, T>>, word: string): T | undefined {
  return Object.hasOwn(names, word) ? names[word] : undefined;
}

const unknownCommand = (program: string, path: string, usage = '') =>
  `${program}: unknown command: ${path}\n\n${usage}Run '${usage === '' ? program : path.split(' ').slice(0, -1).join(' ')} --help' for more information`;

async function help(words: readonly string[], options: CliOptions): Promise<number> {
  const [name] = words;
  if (name === undefined) return dispatch(['--help'], options);
  if (![GROUPS, COMMON, OTHERS].some((names) => Object.hasOwn(names, name))) {
    throw new ExitError(1, `unknown help topic: ${words.join(' ')}`);
  }
  return dispatch([...words, '--help'], options);
}

async function runGroup(
  name: string,
  group: Group,
  words: readonly string[],
  options: CliOptions,
  globals: ParsedFlags,
): Promise<number> {
  const path = `${options.program} ${name}`;
  const helpFlag: FlagSpec = { name: 'help', short: 'h', kind: 'bool', doc: 'Print usage' };
  const flags = parseOrExplain(path, 'COMMAND', [helpFlag], words, false);
  const [sub, ...rest] = flags.args;
  if (sub === undefined || flags.bool('help')) {
    const { groupHelp } = await import('./help.ts');
    (flags.bool('help') ? options.stdout : options.stderr).write(groupHelp(path, group));
    return 0;
  }
  const listed = own(group.commands, own(group.aliases, sub) ?? sub);
  if (listed === undefined) {
    throw new ExitError(1, unknownCommand(options.program, `${path} ${sub}`, `Usage:  ${path}\n\n`));
  }
  return runCommand(`${path} ${sub}`, listed, rest, options, globals);
}

const HELP: FlagSpec = { name: 'help', kind: 'bool', doc: 'Print usage', hidden: true };
const SHORT_HELP: FlagSpec = { ...HELP, short: 'h' };

function withHelp(flags: readonly FlagSpec[]): FlagSpec[] {
  if (flags.some((flag) => flag.name === 'help')) return [...flags];
  return [...flags, flags.some((flag) => flag.short === 'h') ? HELP : SHORT_HELP];
}

async function runCommand(
  path: string,
  listed: Listed,
  words: readonly string[],
  options: CliOptions,
  globals: ParsedFlags,
): Promise<number> {
  const command = await listed.load();
  const flags = parseOrExplain(path, command.use, withHelp(command.flags), words, command.interspersed ?? true);
  if (flags.bool('help')) {
    const { commandHelp } = await import('./help.ts');
    options.stdout.write(commandHelp(options.program, path, command, options.stdout));
    return 0;
  }
  checkArgs(options.program, path, command, flags.args.length);
  using client = await options.connect(connectOptions(globals, options));
  const context: CommandContext = {
    get stdin() {
      return options.stdin;
    },
    stdout: options.stdout,
    stderr: options.stderr,
    env: options.env,
    path,
    version: options.version,
    debug: globals.bool('debug'),
    configDir: globals.text('config') || configHome(options.env),
    client,
    out: (text) => void options.stdout.write(text),
    err: (text) => void options.stderr.write(text),
  };
  return await command.run(context, flags);
}

function connectOptions(globals: ParsedFlags, options: CliOptions): ConnectOptions {
  const hosts = globals.list('host');
  if (hosts.length > 1) throw invalid('Failed to initialize: unable to resolve docker endpoint: Specify only one -H');
  const context = globals.text('context') || (options.env['DOCKER_CONTEXT'] ?? '');
  if (context !== '' && context !== 'default') {
    throw invalid(`Failed to initialize: unable to resolve docker endpoint: context "${context}": context not found`);
  }
  const { env } = options;
  const dir = env['DOCKER_CERT_PATH'] ?? configHome(env);
  const verify = globals.given('tlsverify') ? globals.bool('tlsverify') : (env['DOCKER_TLS_VERIFY'] ?? '') !== '';
  const host = hosts[0] ?? env['DOCKER_HOST'];
  return {
    host: host === undefined || host === '' ? undefined : host,
    tls: {
      enabled: verify || globals.bool('tls') || (env['DOCKER_TLS'] ?? '') !== '',
      verify,
      ca: globals.text('tlscacert') || `${dir}/ca.pem`,
      cert: globals.text('tlscert') || `${dir}/cert.pem`,
      key: globals.text('tlskey') || `${dir}/key.pem`,
    },
  };
}

/** Wrong flags: the message, the usage line and status 125, as docker's command line does. */
function parseOrExplain(
  path: string,
  use: string,
  specs: readonly FlagSpec[],
  words: readonly string[],
  interspersed: boolean,
): ParsedFlags {
  try {
    return parseFlags(specs, words, interspersed);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    throw new ExitError(125, `${error.message}\n\nUsage:  ${path} ${use}\n\nRun '${path} --help' for more information`);
  }
}

function checkArgs(program: string, path: string, { args: [min, max], use }: Command, count: number): void {
  const wrong = (what: string, see: string) =>
    new ExitError(
      1,
      `${program}: '${path}' ${what}\n\nUsage:  ${path} ${use}\n\n${see} '${path} --help' for more information`,
    );
  const plural = (n: number) => `${n} argument${n === 1 ? '' : 's'}`;
  if (max === 0 && count > 0) throw wrong('accepts no arguments', 'Run');
  if (min === max && count !== min) throw wrong(`requires ${plural(min)}`, 'Run');
  if (min === 0 && count > max) throw wrong(`requires at most ${plural(max)}`, 'Run');
  if (count < min && max === Infinity) throw wrong(`requires at least ${plural(min)}`, 'See');
  if (count < min || count > max) throw wrong(`requires at least ${min} and at most ${plural(max)}`, 'Run');
}
