import type { Process } from '../../kernel/shim/shim-pool.ts';
import type { IoPipes } from '../../kernel/stdio/io-pool.ts';
import { internal, messageOf } from '../../util/errors.ts';
import type { Log } from '../../util/log.ts';
import type { LogSink } from '../logs/drivers/driver.ts';
import { type LogSubject, logAttributes } from '../logs/log-tag.ts';
import { type LogWriter, openLogWriter } from '../logs/log-writer.ts';
import { openSink } from '../logs/remote-log.ts';
import { StdioHub } from '../stdio/hub.ts';
import type { Container } from './model.ts';

/**
 * Reaches the receiver of a container's log, if it has one.
 *
 * @throws `internal` in Docker's words, because the container cannot start then.
 */
export async function connectLog(container: Container): Promise<LogSink | undefined> {
  let sink: LogSink | undefined;
  try {
    sink = openSink(container.hostConfig.LogConfig, logSubject(container));
    await sink?.connect();
    return sink;
  } catch (error) {
    sink?.close();
    throw internal(`failed to initialize logging driver: ${messageOf(error)}`, error);
  }
}

/** For a process that runs already: whatever is wrong with the receiver costs its messages and no more. */
function lazySink(container: Container, engineLog: Log): LogSink | undefined {
  try {
    return openSink(container.hostConfig.LogConfig, logSubject(container));
  } catch (error) {
    engineLog.warn('messages of a container do not reach their receiver', { container: container.id, error });
    return undefined;
  }
}

/**
 * Joins a container's pipes with its log. `process` is told when its standard input ends.
 *
 * @param sink from `connectLog`; without it the receiver is reached with the first message.
 */
export function openHub(
  container: Container,
  pipes: IoPipes,
  process: Pick<Process, 'closeStdin'>,
  engineLog: Log,
  sink: LogSink | undefined = lazySink(container, engineLog),
): { hub: StdioHub; log: LogWriter } {
  const { config, hostConfig, files } = container;
  const log = openLogWriter({
    config: hostConfig.LogConfig,
    path: files.log,
    attrs: logAttributes(hostConfig.LogConfig.Config, logSubject(container)),
    sink,
    log: engineLog,
  });
  const hub = new StdioHub({ pipes, log, stdinOnce: config.StdinOnce, closeStdin: () => process.closeStdin() });
  return { hub, log };
}

function logSubject({ id, name, imageId, created, config, path, args }: Container): LogSubject {
  return {
    id,
    name,
    imageId,
    created,
    imageName: config.Image,
    command: [path, ...args],
    labels: config.Labels,
    env: config.Env,
  };
}
