import type { ContainerInspect } from '../../client/types.ts';
import { type Command, type CommandContext, ExitError } from '../command.ts';
import { bool, text } from '../flags/flag-spec.ts';
import { proxySignals } from '../terminal/proxy-signals.ts';
import { followSize } from '../terminal/resize.ts';
import { runSession } from '../terminal/session.ts';

export const attach: Command = {
  use: '[OPTIONS] CONTAINER',
  short: 'Attach local standard input, output, and error streams to a running container',
  aliases: ['container attach', 'attach'],
  args: [1, 1],
  flags: [
    text('detach-keys', 'Override the key sequence for detaching a container'),
    bool('no-stdin', 'Do not attach STDIN'),
    bool('sig-proxy', 'Proxy all received signals to the process (default true)'),
  ],
  async run(context, flags) {
    const id = flags.args[0] ?? '';
    const { containers } = context.client;
    const container = await containers.inspect(id);
    checkAttachable(container);
    const useStdin = !flags.bool('no-stdin') && container.Config.OpenStdin;
    const { Tty: tty } = container.Config;
    if (tty && useStdin && !context.stdin.isTTY) throw new ExitError(1, 'the input device is not a TTY');
    const waited = await containers.wait(container.Id, '');
    const detachKeys = flags.text('detach-keys');
    const { socket } = await containers.attach(container.Id, {
      stdin: useStdin,
      stdout: true,
      stderr: true,
      detachKeys: detachKeys || undefined,
    });
    const proxied = !tty && (!flags.given('sig-proxy') || flags.bool('sig-proxy'));
    using _proxy = proxied ? proxySignals((signal) => containers.kill(container.Id, signal)) : undefined;
    using _size = tty && context.stdout.isTTY ? followSize(context.stdout, repaint(context, container.Id)) : undefined;
    const end = await runSession({
      socket,
      tty,
      stdin: useStdin ? context.stdin : undefined,
      stdout: context.stdout,
      stderr: context.stderr,
      detachKeys,
    });
    if (end === 'detached') throw new ExitError(1, 'read escape sequence');
    const { StatusCode, Error: problem } = await waited.exit;
    if (problem?.Message) throw new ExitError(125, problem.Message);
    return StatusCode;
  },
};

function checkAttachable({ State }: ContainerInspect): void {
  if (!State.Running) throw new ExitError(1, 'You cannot attach to a stopped container, start it first');
  if (State.Paused) throw new ExitError(1, 'You cannot attach to a paused container, unpause it first');
  if (State.Restarting) throw new ExitError(1, 'You cannot attach to a restarting container, wait until it is running');
}

/** The first time one row and column too many: a program repaints its screen only when the size really changes. */
function repaint({ client }: CommandContext, id: string): (size: { width: number; height: number }) => Promise<void> {
  let first = true;
  return async ({ width, height }) => {
    if (first) await client.containers.resize(id, { width: width + 1, height: height + 1 });
    first = false;
    await client.containers.resize(id, { width, height });
  };
}
