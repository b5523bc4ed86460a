/** Severity, least urgent first; the names are those of dockerd's `--log-level`. */
export const LOG_LEVELS = ['debug', 'info', 'warn', 'error', 'fatal'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** Facts that go along with a message; an `error` value is written as its stack. */
export type LogFields = Record<string, unknown>;

/**
 * JSON lines on standard error, one per event, with fixed field names `time`, `level`, `msg`.
 * An error is logged once, by whoever swallows it.
 */
export interface Log {
  level: LogLevel;
  debug(msg: string, fields?: LogFields): void;
  info(msg: string, fields?: LogFields): void;
  warn(msg: string, fields?: LogFields): void;
  error(msg: string, fields?: LogFields): void;
  /** A log that adds `fields` to every line and shares the level. */
  with(fields: LogFields): Log;
}

function plain(value: unknown): unknown {
  if (value instanceof SuppressedError) {
    return [value.suppressed, value.error].map((error) => String(plain(error))).join('\nthen, while undoing: ');
  }
  if (!(value instanceof Error)) return value;
  const cause = value.cause === undefined ? '' : `\ncaused by ${String(plain(value.cause))}`;
  return `${value.stack ?? value.message}${cause}`;
}

/** Opens a log that hands each finished line, newline included, to `write`. */
export function openLog(level: LogLevel, write: (line: string) => void = (line) => process.stderr.write(line)): Log {
  const shared = { level };
  const make = (base: LogFields): Log => {
    const at = (lineLevel: LogLevel) => (msg: string, fields?: LogFields) => {
      if (LOG_LEVELS.indexOf(lineLevel) < LOG_LEVELS.indexOf(shared.level)) return;
      const entries = Object.entries({ ...base, ...fields }).map(([key, value]) => [key, plain(value)]);
      const line = { time: new Date().toISOString(), level: lineLevel, msg, ...Object.fromEntries(entries) };
      write(`${JSON.stringify(line)}\n`);
    };
    return {
      get level() {
        return shared.level;
      },
      set level(value) {
        shared.level = value;
      },
      debug: at('debug'),
      info: at('info'),
      warn: at('warn'),
      error: at('error'),
      with: (fields) => make({ ...base, ...fields }),
    };
  };
  return make({});
}

/** A log that says nothing, for tests and for callers that do not care. */
export function silentLog(): Log {
  return openLog('fatal', () => {});
}
