import type { Process } from '../../kernel/shim/shim-pool.ts';
import type { IoPipes } from '../../kernel/stdio/io-pool.ts';
import { internal, invalid, kindOf, messageOf } from '../../util/errors.ts';
import type { LogSink } from '../logs/drivers/driver.ts';
import { checkKeptFiles } from '../logs/log-config.ts';
import { type LogWriter, openLogWriter } from '../logs/log-writer.ts';
import { recordAttributes } from '../logs/record-attributes.ts';
import { openSink } from '../logs/remote-log.ts';
import { StdioHub } from '../stdio/hub.ts';
import { logSubject } from './log-subject.ts';
import type { Container } from './model.ts';
import type { Parts } from './parts.ts';

/**
 * Checks that a container's log can be kept, and reaches its receiver if it has one.
 *
 * @throws in Docker's words, because the container cannot start then: `invalid` for what its options say, `internal` for a receiver that is not there.
 */
export async function connectLog(container: Container): Promise<LogSink | undefined> {
  const config = container.hostConfig.LogConfig;
  const subject = logSubject(container);
  let sink: LogSink | undefined;
  try {
    sink = openSink(config, subject);
    checkKeptFiles(config, subject);
    await sink?.connect();
    return sink;
  } catch (error) {
    sink?.close();
    const message = `failed to initialize logging driver: ${messageOf(error)}`;
    // Docker takes a file that is missing for a mistake of the caller's.
    const mistake = kindOf(error) === 'invalid' || message.endsWith('no such file or directory');
    throw mistake ? invalid(message, error) : internal(message, error);
  }
}

/** For a process that runs already: whatever is wrong with the receiver costs its messages and no more. */
function lazySink({ log }: Pick<Parts, 'log'>, container: Container): LogSink | undefined {
  try {
    return openSink(container.hostConfig.LogConfig, logSubject(container));
  } catch (error) {
    log.warn('messages of a container do not reach their receiver', { container: container.id, error });
    return undefined;
  }
}

/**
 * Joins a container's pipes with its log. `process` is told when its standard input ends.
 *
 * @param sink from `connectLog`; without it the receiver is reached with the first message.
 */
export function openHub(
  parts: Pick<Parts, 'log' | 'lastMessages'>,
  container: Container,
  { pipes, process }: { pipes: IoPipes; process: Pick<Process, 'closeStdin'> },
  sink: LogSink | undefined = lazySink(parts, container),
): { hub: StdioHub; log: LogWriter } {
  const { config, hostConfig, files } = container;
  const log = openLogWriter({
    config: hostConfig.LogConfig,
    path: files.log,
    attrs: recordAttributes(hostConfig.LogConfig, logSubject(container)),
    sink,
    lastMessages: parts.lastMessages,
    log: parts.log.with({ container: container.id }),
  });
  const hub = new StdioHub({ pipes, log, stdinOnce: config.StdinOnce, closeStdin: () => process.closeStdin() });
  return { hub, log };
}
