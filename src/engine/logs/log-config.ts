import { invalid, unsupported } from '../../util/errors.ts';
import { parseTag } from './log-tag.ts';

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

const DRIVERS = ['json-file', 'local', 'none'];
const FILE_OPTIONS = ['max-file', 'max-size', 'compress'];
const JSON_OPTIONS = [...FILE_OPTIONS, 'labels', 'labels-regex', 'env', 'env-regex', 'tag'];
/** Options of every driver. */
const COMMON_OPTIONS = ['mode', 'max-buffer-size'];

// No log fills a disk unasked. Why these figures: docs/decisions/0005-logs-are-bounded.md.
const JSON_MAX_SIZE = 100_000_000;
const LOCAL_MAX_SIZE = 20_000_000;
const MAX_FILES = 5;

/** Bytes of a size such as `10m` or `1.5GB`; `unit` is 1000 or 1024. @throws `invalid`. */
export function parseSize(text: string, unit: number): number {
  const match = /^(\d+(?:\.\d+)?) ?([kmgtp])?i?b?$/i.exec(text);
  if (match === null) throw invalid(`invalid size: '${text}'`);
  const power = match[2] === undefined ? 0 : 'kmgtp'.indexOf(match[2].toLowerCase()) + 1;
  return Math.floor(Number(match[1]) * unit ** power);
}

function parseBool(text: string): boolean {
  if (['1', 't', 'T', 'TRUE', 'true', 'True'].includes(text)) return true;
  if (['0', 'f', 'F', 'FALSE', 'false', 'False'].includes(text)) return false;
  throw invalid(`strconv.ParseBool: parsing "${text}": invalid syntax`);
}

function parseCount(text: string): number {
  if (!/^[+-]?\d+$/.test(text)) throw invalid(`strconv.Atoi: parsing "${text}": invalid syntax`);
  const count = Number(text);
  if (count < 1) throw invalid('max-file cannot be less than 1');
  return count;
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
  const compress = parseBool(Config['compress'] ?? String(local));
  if (compress && local && maxFiles === 1) throw invalid('compression cannot be enabled when max file count is 1');
  if (compress && !local && (maxFiles === 1 || size === undefined)) {
    throw invalid('compress cannot be true when max-file is less than 2 or max-size is not set');
  }
  return { maxSize, maxFiles, compress };
}

/**
 * Completes a container's log configuration from the daemon's and checks it, all of it already at create.
 *
 * @throws `invalid` in Docker's words; `unsupported` for the non-blocking mode.
 */
export function validateLogConfig(config: LogConfig, defaults: LogConfig): LogConfig {
  const Type = config.Type === '' ? defaults.Type || 'json-file' : config.Type;
  const Config = Type === defaults.Type ? { ...defaults.Config, ...config.Config } : { ...config.Config };
  if (!DRIVERS.includes(Type)) throw invalid(`logger: no log driver named '${Type}' is registered`);
  if (Type === 'none') return { Type, Config };
  checkMode(Config);
  checkNames(Type, Config);
  try {
    logLimits({ Type, Config });
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
  if (size !== undefined && mode !== 'non-blocking') {
    throw invalid("logger: max-buffer-size option is only supported with 'mode=non-blocking'");
  }
  if (mode === 'non-blocking') {
    throw unsupported("logger: the log mode 'non-blocking' is not supported, use 'mode=blocking'");
  }
}

function checkNames(driver: string, options: Readonly<Record<string, string>>): void {
  const known = driver === 'local' ? FILE_OPTIONS : JSON_OPTIONS;
  for (const name of Object.keys(options)) {
    if (known.includes(name) || COMMON_OPTIONS.includes(name)) continue;
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
