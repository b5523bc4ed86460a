import { hostIsStopping } from '../kernel/host/host-stopping.ts';
import { laterErrors, messageOf } from '../util/errors.ts';
import { type Log, openLog } from '../util/log.ts';
import { rerunner } from '../util/rerun.ts';
import { DAEMON_USAGE, parseDaemonFlags } from './daemon/flags.ts';
import { setOomScore } from './daemon/limits-config.ts';
import { loadConfig } from './daemon/load-config.ts';
import { openDaemon } from './daemon/open-daemon.ts';
import { VERSION } from './version.ts';

/**
 * Runs the engine until it is told to go: SIGTERM and SIGINT end it and leave running containers alone, unless the host goes down
 * as well; SIGHUP reads the configuration again.
 *
 * @returns the exit status.
 */
export async function runDaemon(args: readonly string[]): Promise<number> {
  try {
    const flags = parseDaemonFlags(args);
    if (flags.help) return say(DAEMON_USAGE);
    if (flags.version) return say(`Gantry version ${VERSION}\n`);
    if (process.getuid?.() !== 0) throw new Error('the engine needs to be started as root');
    const config = await loadConfig(flags);
    setOomScore(config.oomScoreAdjust);
    const log = openLog(config.logLevel);
    // Until the engine is ready nothing is read again, and by default the signal would end it.
    process.on('SIGHUP', () => {});
    await using daemon = await openDaemon(config, log);
    await untilTold(async () => {
      const again = await loadConfig(flags);
      log.level = again.logLevel;
      daemon.reloaded(again);
    }, log);
    if (await hostIsStopping()) {
      log.info('the host goes down, and containers before it');
      await daemon.endContainers();
    } else log.info('going down; running containers stay');
    return 0;
  } catch (error) {
    process.stderr.write(`failed to start the engine: ${messageOf(error)}\n`);
    for (const later of laterErrors(error)) process.stderr.write(`then, while undoing: ${messageOf(later)}\n`);
    return 1;
  }
}

function say(text: string): number {
  process.stdout.write(text);
  return 0;
}

/** Resolves at the first signal that asks the engine to end. A configuration that cannot be read changes nothing. */
function untilTold(reload: () => Promise<void>, log: Log): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  process.once('SIGTERM', () => resolve());
  process.once('SIGINT', () => resolve());
  const failed = (error: unknown) => log.warn('the configuration was not read again', { error: messageOf(error) });
  process.on('SIGHUP', rerunner(reload, failed));
  return promise;
}
