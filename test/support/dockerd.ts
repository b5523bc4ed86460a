import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { openSync, readFileSync } from 'node:fs';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { answering, removeContainers } from './gantry.ts';
import { command, openTarget, type Target } from './target.ts';

/**
 * Starts a dockerd of a test's own, beside whatever else runs here: its own roots and bridge, and no firewall rules unless
 * they are what is measured, since all dockerds of a host share those.
 */
export async function startDockerd({
  firewall = false,
  extra = [],
}: {
  firewall?: boolean;
  /** Further flags. */
  extra?: readonly string[];
} = {}): Promise<Target & AsyncDisposable & { pid: number; root: string }> {
  await using undo = new AsyncDisposableStack();
  const dir = await mkdtemp(join(tmpdir(), 'gantry-oracle-'));
  undo.defer(() => rm(dir, { recursive: true, force: true }));
  // Remapped, the root of a container must be able to come here.
  await chmod(dir, 0o711);
  const bridge = `gtd${randomBytes(4).toString('hex')}`;
  const subnet = `10.${200 + ((randomBytes(1)[0] ?? 0) % 50)}.${randomBytes(1)[0] ?? 0}.1/24`;
  await command('ip', ['link', 'add', bridge, 'type', 'bridge']);
  undo.defer(async () => void (await command('ip', ['link', 'del', bridge])));
  await command('ip', ['addr', 'add', subnet, 'dev', bridge]);
  await command('ip', ['link', 'set', bridge, 'up']);
  const socket = join(dir, 'docker.sock');
  const log = join(dir, 'log');
  const out = openSync(log, 'a');
  const roots = ['--data-root', join(dir, 'data'), '--exec-root', join(dir, 'exec'), '-p', join(dir, 'pid')];
  const network = ['--bridge', bridge, ...(firewall ? [] : ['--iptables=false', '--ip-masq=false'])];
  // dockerd leaves the namespace of the host's network mounted there.
  undo.defer(async () => void (await command('umount', [join(dir, 'exec', 'netns', 'default')])));
  const daemon = spawn('dockerd', [...roots, ...network, ...extra, '-H', `unix://${socket}`], {
    stdio: ['ignore', out, out],
  });
  undo.defer(async () => {
    if (daemon.exitCode !== null) return;
    const ended = once(daemon, 'exit');
    daemon.kill('SIGTERM');
    await ended;
  });
  await answering(socket, daemon, () => readFileSync(log, 'utf8'));
  const target = openTarget('dockerd', socket);
  undo.defer(() => removeContainers(target));
  const stack = undo.move();
  return { ...target, pid: daemon.pid ?? 0, root: dir, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}
