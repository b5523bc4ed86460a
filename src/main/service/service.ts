import { existsSync } from 'node:fs';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { forbidden, GantryError, invalid, messageOf, unavailable } from '../../util/errors.ts';
import { run } from '../../util/spawn.ts';
import { unitText } from './unit-text.ts';

export const SERVICE_USAGE = `Usage:  gantry service COMMAND

Start the engine when the host starts

Commands:
  install     Write a systemd unit, enable it and start it
  status      Tell whether it is installed, enabled and active
  uninstall   Stop the unit and remove it; containers go on running

The engine reads its settings from /etc/gantry/daemon.json.
`;

const UNIT = 'gantry.service';
/** How long an engine may take to listen after its start; recovery comes before. */
const START_MS = 60_000;

/** What the commands touch of the host; a test has its own. */
export interface ServiceHost {
  /** Directory for units. */
  readonly units: string;
  /** Exists while systemd runs. Source: sd_booted(3). */
  readonly booted: string;
  readonly root: boolean;
  /** The program that runs the engine, and its arguments. */
  readonly command: readonly string[];
  /** Whether an engine answers, the unit's or another. */
  engineRuns(): Promise<boolean>;
  systemctl(...words: string[]): Promise<{ code: number; stdout: string; stderr: string }>;
}

type Say = (line: string) => void;

/** Runs `gantry service …`; gives the exit status: 0, 1 for an error, and 3 from `status` when the engine is not active. */
export async function runService(words: readonly string[], host: ServiceHost, say: Say, warn: Say): Promise<number> {
  try {
    return await dispatch(words, host, say);
  } catch (error) {
    warn(error instanceof GantryError ? error.message : messageOf(error));
    return 1;
  }
}

async function dispatch([name, ...rest]: readonly string[], host: ServiceHost, say: Say): Promise<number> {
  if (name === undefined || name === '--help' || name === '-h' || rest.includes('--help')) {
    say(SERVICE_USAGE.trimEnd());
    return 0;
  }
  const work = { install, uninstall, status }[name];
  if (work === undefined) throw invalid(`unknown command: gantry service ${name}\n\n${SERVICE_USAGE.trimEnd()}`);
  if (rest.length > 0) throw invalid(`"gantry service ${name}" accepts no arguments`);
  if (!existsSync(host.booted)) {
    throw unavailable(
      `systemd does not run on this host (there is no ${host.booted}), and it is the only service manager that is known here: let yours run "${host.command.join(' ')}" as root`,
    );
  }
  return work(host, say);
}

/**
 * Starts the engine as the service it was installed as.
 *
 * @returns false, and nothing is done, where it is not installed or not enabled. @throws `unavailable` when systemd cannot start it, or it does not answer.
 */
export async function startService(host: ServiceHost): Promise<boolean> {
  if (!existsSync(host.booted) || !existsSync(join(host.units, UNIT))) return false;
  const { stdout } = await host.systemctl('is-enabled', UNIT);
  if (stdout.trim() !== 'enabled') return false;
  await systemctl(host, 'start', UNIT);
  await untilItAnswers(host);
  return true;
}

async function install(host: ServiceHost, say: Say): Promise<number> {
  needRoot(host);
  const path = join(host.units, UNIT);
  await writeFile(path, unitText(host.command), { mode: 0o644 });
  await systemctl(host, 'daemon-reload');
  await systemctl(host, 'enable', UNIT);
  say(`Installed ${path}; the engine starts when the host does.`);
  if (!(await isActive(host)) && (await host.engineRuns())) {
    say("An engine that is not the unit's runs now. End it, then: systemctl start gantry");
    return 0;
  }
  await systemctl(host, 'restart', UNIT);
  await untilItAnswers(host);
  say('The engine runs.');
  return 0;
}

/** A command that came sooner would find no engine, start one of its own, and keep the unit's from starting. */
async function untilItAnswers(host: ServiceHost): Promise<void> {
  for (const deadline = performance.now() + START_MS; performance.now() < deadline; await sleep(50)) {
    if (await host.engineRuns()) return;
  }
  throw unavailable(`the engine does not answer yet; "journalctl -u ${UNIT}" may tell why`);
}

async function uninstall(host: ServiceHost, say: Say): Promise<number> {
  needRoot(host);
  const path = join(host.units, UNIT);
  if (!existsSync(path)) throw invalid(`${path} is not there: nothing is installed`);
  await systemctl(host, 'disable', '--now', UNIT);
  await rm(path);
  await systemctl(host, 'daemon-reload');
  say(`Removed ${path}. Containers that run go on running.`);
  return 0;
}

async function status(host: ServiceHost, say: Say): Promise<number> {
  const path = join(host.units, UNIT);
  say(`Installed: ${existsSync(path) ? path : 'no'}`);
  const enabled = (await host.systemctl('is-enabled', UNIT)).stdout.trim();
  say(`Enabled: ${enabled === '' ? 'no' : enabled}`);
  const active = (await host.systemctl('is-active', UNIT)).stdout.trim();
  say(`Active: ${active === '' ? 'no' : active}`);
  return active === 'active' ? 0 : 3;
}

const isActive = async (host: ServiceHost): Promise<boolean> =>
  (await host.systemctl('is-active', UNIT)).stdout.trim() === 'active';

function needRoot({ root }: ServiceHost): void {
  if (!root) throw forbidden('only root may install or remove a service');
}

async function systemctl(host: ServiceHost, ...words: string[]): Promise<void> {
  const { code, stderr } = await host.systemctl(...words);
  if (code !== 0) throw unavailable(`systemctl ${words.join(' ')} failed: ${stderr.trim()}`);
}

/** The host this program runs on. */
export function thisHost(command: readonly string[], engineRuns: () => Promise<boolean>): ServiceHost {
  return {
    units: '/etc/systemd/system',
    booted: '/run/systemd/system',
    root: process.getuid?.() === 0,
    command,
    engineRuns,
    systemctl: (...words) => run('systemctl', words, { allowFailure: true }),
  };
}
