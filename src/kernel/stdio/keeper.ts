import { spawn } from 'node:child_process';
import { constants, existsSync, openSync } from 'node:fs';
import { mkdir, readFile, realpath, unlink } from 'node:fs/promises';
import { Socket } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { internal } from '../../util/errors.ts';
import { ifExists, writeFileAtomic } from '../../util/files.ts';
import { run, spawnError } from '../../util/spawn.ts';
import { endProcesses } from '../processes.ts';

/**
 * A tiny process that outlives the daemon and holds FIFOs open.
 *
 * When a container ends, its shim closes both ends of the FIFO it wrote to, and what the pipe still holds is lost unless
 * somebody else has it open. While no daemon runs, the keeper is that somebody.
 */
export interface Keeper extends Disposable {
  /** True when it was started just now and holds nothing. */
  readonly fresh: boolean;
  alive(): Promise<boolean>;
  /** Names are those of FIFOs in the keeper's directory. */
  hold(name: string): void;
  drop(name: string): void;
  /** Ends it, and whatever only it held. */
  quit(): Promise<void>;
}

/** Reads `hold NAME` and `drop NAME` line by line; names are those of FIFOs in its working directory. Closes what it inherited first. */
const SCRIPT = `
for fd in /proc/$$/fd/*; do fd=\${fd##*/}; (( fd > 2 )) && exec {fd}>&-; done
ulimit -Sn "$(ulimit -Hn)"
declare -A held
exec 3<>control
echo ready
exec >/dev/null
while read -r -u 3 verb name; do
  case $verb in
    hold)
      [[ -p $name && -z \${held[$name]} ]] && exec {fd}<>"$name" || continue
      # Removed in this very moment, and opening made a file of that name.
      if [[ -p /proc/$$/fd/$fd ]]; then held[$name]=$fd; else exec {fd}>&-; rm -f "$name"; fi ;;
    drop) fd=\${held[$name]}; [[ -n $fd ]] && exec {fd}>&- && unset "held[$name]" ;;
  esac
done`;

/** What process lists show of it. */
const NAME = 'gantry-keeper';

/** Finds the keeper an earlier daemon started, or starts one. It works in `dir`, where it keeps the files `control` and `process`. */
export async function openKeeper(dir: string): Promise<Keeper> {
  await mkdir(dir, { recursive: true, mode: 0o700 });
  const identityFile = join(dir, 'process');
  const controlPath = join(dir, 'control');
  const before = await ifExists(() => readFile(identityFile, 'utf8'));
  if (before !== undefined && (await isSame(before)))
    return connected({ identity: before, fresh: false, identityFile, controlPath });
  // The daemon may have been killed between starting one and writing down which.
  const real = await realpath(dir);
  if (existsSync(controlPath)) await endProcesses(({ args, cwd }) => args.at(-1) === NAME && cwd === real);
  await ifExists(() => unlink(controlPath));
  await run('mkfifo', ['-m', '600', controlPath]);
  const identity = await startKeeper(dir);
  await writeFileAtomic(identityFile, identity, 0o600);
  return connected({ identity, fresh: true, identityFile, controlPath });
}

/** Resolves when the keeper reads its control FIFO, so that nothing written to it from now on is lost. */
async function startKeeper(cwd: string): Promise<string> {
  const child = spawn('bash', ['-c', SCRIPT, NAME], {
    detached: true,
    stdio: ['ignore', 'pipe', 'ignore'],
    cwd,
  });
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  child.stdout.once('data', () => resolve());
  child.once('error', (error) => reject(spawnError('bash', error, cwd)));
  child.once('exit', (code) => reject(internal(`the process that is to hold FIFOs open ended at once: ${code}`)));
  await promise;
  child.stdout.destroy();
  child.unref();
  const identity = await identityOf(child.pid ?? 0);
  if (identity === undefined) throw internal('the process that is to hold FIFOs open ended at once');
  return identity;
}

function openControl(path: string): Socket {
  const fd = openSync(path, constants.O_RDWR | constants.O_NONBLOCK);
  const socket = new Socket({ fd, readable: false, writable: true });
  socket.on('error', () => {});
  socket.unref();
  return socket;
}

interface Connected {
  identity: string;
  fresh: boolean;
  identityFile: string;
  controlPath: string;
}

function connected({ identity, fresh, identityFile, controlPath }: Connected): Keeper {
  const control = openControl(controlPath);
  return {
    fresh,
    alive: () => isSame(identity),
    hold: (name) => void control.write(`hold ${name}\n`),
    drop: (name) => void control.write(`drop ${name}\n`),
    async quit() {
      // It has nothing to put in order.
      if (await isSame(identity)) process.kill(Number.parseInt(identity, 10), 'SIGKILL');
      while (await isSame(identity)) await sleep(1);
      control.destroy();
      for (const path of [identityFile, controlPath]) await ifExists(() => unlink(path));
    },
    [Symbol.dispose]() {
      control.destroy();
    },
  };
}

/** A process id is used again after a while; together with its start time it is not. */
async function isSame(identity: string): Promise<boolean> {
  const pid = Number.parseInt(identity, 10);
  return Number.isInteger(pid) && (await identityOf(pid)) === identity;
}

/** `pid start-time`, the latter in clock ticks since boot. Undefined for a process that is gone. Source: proc(5), stat. */
async function identityOf(pid: number): Promise<string | undefined> {
  const stat = await ifExists(() => readFile(`/proc/${pid}/stat`, 'utf8'));
  if (stat === undefined) return undefined;
  // The command's name, in parentheses, may hold anything.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const [state] = fields;
  return state === 'Z' ? undefined : `${pid} ${fields[19]}`;
}
