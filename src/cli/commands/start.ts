import { messageOf } from '../../util/errors.ts';
import { type Command, type CommandContext, ExitError } from '../command.ts';
import { bool, text } from '../flags/flag-spec.ts';
import type { ParsedFlags } from '../flags/parse-flags.ts';
import { proxySignals } from '../terminal/proxy-signals.ts';
import { followSize } from '../terminal/resize.ts';
import { runSession } from '../terminal/session.ts';

export const start: Command = {
  use: '[OPTIONS] CONTAINER [CONTAINER...]',
  short: 'Start one or more stopped containers',
  aliases: ['container start', 'start'],
  args: [1, Infinity],
  flags: [
    bool('a, attach', 'Attach STDOUT/STDERR and forward signals'),
    text('detach-keys', 'Override the key sequence for detaching a container'),
    bool('i, interactive', "Attach container's STDIN"),
  ],
  async run(context, flags) {
    if (!flags.bool('attach') && !flags.bool('interactive')) return startAll(context, flags.args);
    if (flags.args.length > 1) throw new ExitError(1, 'you cannot start and attach multiple containers at once');
    return startAttached(context, flags, flags.args[0] ?? '');
  },
};

async function startAll(context: CommandContext, names: readonly string[]): Promise<number> {
  const failed: string[] = [];
  for (const name of names) {
    try {
      await context.client.containers.start(name);
      context.out(`${name}\n`);
    } catch (error) {
      context.err(`${messageOf(error)}\n`);
      failed.push(name);
    }
  }
  if (failed.length > 0) throw new ExitError(1, `Error: failed to start containers: ${failed.join(', ')}`);
  return 0;
}

async function startAttached(context: CommandContext, flags: ParsedFlags, name: string): Promise<number> {
  const { containers } = context.client;
  const container = await containers.inspect(name);
  const { Tty: tty } = container.Config;
  const useStdin = flags.bool('interactive') && container.Config.OpenStdin;
  if (tty && useStdin && !context.stdin.isTTY) throw new ExitError(1, 'the input device is not a TTY');
  using _proxy = tty ? undefined : proxySignals((signal) => containers.kill(container.Id, signal));
  const detachKeys = flags.text('detach-keys');
  const { socket } = await containers.attach(container.Id, {
    stdin: useStdin,
    stdout: true,
    stderr: true,
    detachKeys: detachKeys || undefined,
  });
  const gone = new AbortController();
  const condition = container.HostConfig.AutoRemove ? 'removed' : 'next-exit';
  const waited = await containers.wait(container.Id, condition, gone.signal);
  const ended = runSession({
    socket,
    tty,
    stdin: useStdin ? context.stdin : undefined,
    stdout: context.stdout,
    stderr: context.stderr,
    detachKeys,
  });
  ended.catch(() => {});
  try {
    await containers.start(container.Id, detachKeys);
  } catch (error) {
    socket.destroy();
    gone.abort();
    throw error;
  }
  using _size =
    tty && context.stdout.isTTY ? followSize(context.stdout, (to) => containers.resize(container.Id, to)) : undefined;
  if ((await ended) === 'detached') {
    gone.abort();
    throw new ExitError(1, 'read escape sequence');
  }
  return (await waited.exit).StatusCode;
}
