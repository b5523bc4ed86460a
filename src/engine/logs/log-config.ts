import { invalid, unsupported } from '../../util/errors.ts';
import { remoteDriver } from './drivers/drivers.ts';
import { boolOption } from './drivers/option-values.ts';
import { parseTag } from './log-tag.ts';
import { parseSize } from './parse-size.ts';

/** A container's log driver and its options, in Docker's field names. */
export interface LogConfig {
  Type: string;
  Config: Record<string, string>;
}

/** How the files of a log are kept. Sizes in bytes. */
export interface LogLimits {
  maxSize: number;
  maxFiles: number;
  compress: boolean;
}

const FILE_DRIVERS = ['json-file', 'local', 'none'];
/** Drivers of Docker that send to a service of somebody's cloud. */
const NOT_HERE = ['awslogs', 'etwlogs', 'gcplogs', 'splunk'];
const FILE_OPTIONS = ['max-file', 'max-size', 'compress'];
const JSON_OPTIONS = [...FILE_OPTIONS, 'labels', 'labels-regex', 'env', 'env-regex', 'tag'];
/** Options of every driver. */
const COMMON_OPTIONS = [
  'mode',
  'max-buffer-size',
  'cache-disabled',
  'cache-max-size',
  'cache-max-file',
  'cache-compress',
];

// No log fills a disk unasked. Why these figures: docs/decisions/0005-logs-are-bounded.md.
const JSON_MAX_SIZE = 100_000_000;
const LOCAL_MAX_SIZE = 20_000_000;
const MAX_FILES = 5;

function parseCount(text: string): number {
  if (!/^[+-]?\d+$/.test(text)) throw invalid(`strconv.Atoi: parsing "${text}": invalid syntax`);
  const count = Number(text);
  if (count < 1) throw invalid('max-file cannot be less than 1');
  return count;
}

/** The name and the options of the files that are kept: those of the driver, or a cache for one that sends messages away. */
export function keptFiles(config: LogConfig): LogConfig {
  if (remoteDriver(config.Type) === undefined) return config;
  const { Config } = config;
  if (boolOption(Config['cache-disabled'], false)) return { Type: 'none', Config: {} };
  const options = FILE_OPTIONS.flatMap((name): [string, string][] => {
    const value = Config[`cache-${name}`];
    return value === undefined ? [] : [[name, value]];
  });
  return { Type: 'local', Config: Object.fromEntries(options) };
}

/** The limits that a driver's options ask for, its defaults included. @throws `invalid`. */
export function logLimits({ Type, Config }: LogConfig): LogLimits {
  const local = Type === 'local';
  const size = Config['max-size'];
  const files = Config['max-file'];
  const maxSize = size === undefined ? (local ? LOCAL_MAX_SIZE : JSON_MAX_SIZE) : parseSize(size, 1000);
  if (maxSize <= 0) throw invalid('max-size must be a positive number');
  // As in Docker, a json-file whose size was chosen, and nothing else, is a single file.
  const maxFiles = files === undefined ? (size === undefined || local ? MAX_FILES : 1) : parseCount(files);
  const compress = boolOption(Config['compress'], local);
  if (compress && local && maxFiles === 1) throw invalid('compression cannot be enabled when max file count is 1');
  if (compress && !local && (maxFiles === 1 || size === undefined)) {
    throw invalid('compress cannot be true when max-file is less than 2 or max-size is not set');
  }
  return { maxSize, maxFiles, compress };
}

/**
 * Completes a container's log configuration from the daemon's and checks it, all of it already at create.
 *
 * @throws `invalid` in Docker's words; `unsupported` for a driver of Docker's that is not here.
 */
export function validateLogConfig(config: LogConfig, defaults: LogConfig): LogConfig {
  const Type = config.Type === '' ? defaults.Type || 'json-file' : config.Type;
  const Config = Type === defaults.Type ? { ...defaults.Config, ...config.Config } : { ...config.Config };
  const remote = remoteDriver(Type);
  if (NOT_HERE.includes(Type)) throw unsupported(`the log driver '${Type}' is not supported by Gantry`);
  if (remote === undefined && !FILE_DRIVERS.includes(Type)) {
    throw invalid(`error looking up logging plugin ${Type}: plugin "${Type}" not found`);
  }
  if (Type === 'none') return { Type, Config };
  checkMode(Config);
  checkNames(Type, Config);
  remote?.check(Config);
  checkCache(Config);
  try {
    logLimits(keptFiles({ Type, Config }));
    checkPatterns(Config);
    parseTag(Config['tag'] ?? '');
  } catch (error) {
    throw invalid(`failed to initialize logging driver: ${(error as Error).message}`, error);
  }
  return { Type, Config };
}

function checkMode(options: Readonly<Record<string, string>>): void {
  const mode = options['mode'] ?? '';
  const size = options['max-buffer-size'];
  if (!['', 'blocking', 'non-blocking'].includes(mode)) throw invalid(`logger: logging mode not supported: ${mode}`);
  if (size === undefined) return;
  if (mode !== 'non-blocking') {
    throw invalid("logger: max-buffer-size option is only supported with 'mode=non-blocking'");
  }
  try {
    parseSize(size, 1024);
  } catch (error) {
    throw invalid(`error parsing option max-buffer-size: ${(error as Error).message}`, error);
  }
}

function checkCache(options: Readonly<Record<string, string>>): void {
  const value = options['cache-disabled'];
  try {
    boolOption(value, false);
  } catch (error) {
    throw invalid(`invalid value for option cache-disabled: ${value}`, error);
  }
}

function checkNames(driver: string, options: Readonly<Record<string, string>>): void {
  const known = remoteDriver(driver)?.options ?? (driver === 'local' ? FILE_OPTIONS : JSON_OPTIONS);
  for (const name of Object.keys(options)) {
    if (known.includes(name) || COMMON_OPTIONS.includes(name)) continue;
    // Docker asks for the address first.
    if (driver === 'gelf' && options['gelf-address'] === undefined) return;
    const where = driver === 'local' ? `log driver ${driver}` : `${driver} log driver`;
    throw invalid(`unknown log opt '${name}' for ${where}`);
  }
}

function checkPatterns(options: Readonly<Record<string, string>>): void {
  for (const name of ['labels-regex', 'env-regex']) {
    try {
      RegExp(options[name] ?? '');
    } catch (error) {
      throw invalid(`error parsing regexp: ${(error as Error).message}`, error);
    }
  }
}
