import type { Process } from '../../kernel/shim/shim-pool.ts';
import type { IoPipes } from '../../kernel/stdio/io-pool.ts';
import type { Log } from '../../util/log.ts';
import { logAttributes } from '../logs/log-tag.ts';
import { type LogWriter, openLogWriter } from '../logs/log-writer.ts';
import { StdioHub } from '../stdio/hub.ts';
import type { Container } from './model.ts';

/** Joins a container's pipes with its log. `process` is told when its standard input ends. */
export function openHub(
  container: Container,
  pipes: IoPipes,
  process: Pick<Process, 'closeStdin'>,
  engineLog: Log,
): { hub: StdioHub; log: LogWriter } {
  const { config, hostConfig, files } = container;
  const log = openLogWriter({
    config: hostConfig.LogConfig,
    path: files.log,
    attrs: logAttributes(hostConfig.LogConfig.Config, logSubject(container)),
    log: engineLog,
  });
  const hub = new StdioHub({ pipes, log, stdinOnce: config.StdinOnce, closeStdin: () => process.closeStdin() });
  return { hub, log };
}

function logSubject({ id, name, imageId, config, path, args }: Container) {
  return {
    id,
    name,
    imageId,
    imageName: config.Image,
    command: [path, ...args],
    labels: config.Labels,
    env: config.Env,
  };
}
