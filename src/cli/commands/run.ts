import { messageOf } from '../../util/errors.ts';
import { type Command, type CommandContext, ExitError } from '../command.ts';
import { bool, text } from '../flags/flag-spec.ts';
import type { ParsedFlags } from '../flags/parse-flags.ts';
import { type ContainerBody, containerBody } from '../run/container-body.ts';
import { containerFlags } from '../run/container-flags.ts';
import { createContainer } from '../run/create-container.ts';
import { proxySignals } from '../terminal/proxy-signals.ts';
import { followSize, sizeOf } from '../terminal/resize.ts';
import { runSession, type SessionEnd } from '../terminal/session.ts';

/** `run`: create, attach, wait, start, in this order so that nothing of the container's life is missed. */
export const run: Command = {
  use: '[OPTIONS] IMAGE [COMMAND] [ARG...]',
  short: 'Create and run a new container from an image',
  aliases: ['container run', 'run'],
  args: [1, Infinity],
  interspersed: false,
  flags: [
    ...containerFlags('Pull image before running ("always", "missing", "never")'),
    bool('d, detach', 'Run container in background and print container ID'),
    text('detach-keys', 'Override the key sequence for detaching a container'),
    bool('sig-proxy', 'Proxy received signals to the process (default true)'),
  ],
  async run(context, flags) {
    if (flags.bool('detach') && flags.given('attach')) {
      throw new ExitError(1, 'conflicting options: cannot specify both --attach and --detach');
    }
    try {
      const body = containerBody(flags, { env: context.env, words: flags.args });
      return await (flags.bool('detach') ? runDetached(context, flags, body) : runAttached(context, flags, body));
    } catch (error) {
      if (error instanceof ExitError) throw error;
      throw failure(context, messageOf(error));
    }
  },
};

/** The statuses shells use for a command that cannot be run; 125 for everything else. */
function failure(context: CommandContext, message: string): ExitError {
  const program = context.path.split(' ')[0] ?? '';
  const help = `\n\nRun '${context.path} --help' for more information`;
  return new ExitError(statusOf(message), `${program}: ${message.trim()}${help}`);
}

function statusOf(message: string): number {
  if (/executable file not found|no such file or directory|system cannot find the file specified/.test(message)) {
    return message.startsWith('Error response from daemon') ? 127 : 125;
  }
  if (/permission denied|is a directory/.test(message))
    return message.startsWith('Error response from daemon') ? 126 : 125;
  return 125;
}

async function runDetached(context: CommandContext, flags: ParsedFlags, body: ContainerBody): Promise<number> {
  Object.assign(body, { AttachStdin: false, AttachStdout: false, AttachStderr: false, StdinOnce: false });
  const id = await createContainer(context, flags, body);
  // The id is known and may be wanted even when the start fails.
  context.out(`${id}\n`);
  await context.client.containers.start(id);
  return 0;
}

async function runAttached(context: CommandContext, flags: ParsedFlags, body: ContainerBody): Promise<number> {
  const { stdin, stdout, stderr, client } = context;
  if (body.Tty && body.AttachStdin && !stdin.isTTY) throw new ExitError(1, 'the input device is not a TTY');
  const size = sizeOf(stdout);
  if (size !== undefined) body.HostConfig['ConsoleSize'] = [size.height, size.width];
  const id = await createContainer(context, flags, body);
  const { containers } = client;
  const detachKeys = flags.text('detach-keys');
  const attached = await containers.attach(id, {
    stdin: body.AttachStdin,
    stdout: body.AttachStdout,
    stderr: body.AttachStderr,
    detachKeys: detachKeys || undefined,
  });
  using _proxy = !body.Tty && wantsProxy(flags) ? proxySignals((signal) => containers.kill(id, signal)) : undefined;
  const gone = new AbortController();
  const waited = await containers.wait(
    id,
    body.HostConfig['AutoRemove'] === true ? 'removed' : 'next-exit',
    gone.signal,
  );
  const ended = runSession({
    socket: attached.socket,
    tty: body.Tty,
    stdin: body.AttachStdin ? stdin : undefined,
    stdout: body.AttachStdout ? stdout : undefined,
    stderr: body.AttachStderr ? stderr : undefined,
    detachKeys,
  });
  ended.catch(() => {});
  try {
    await containers.start(id);
  } catch (error) {
    attached.socket.destroy();
    await ended.catch(() => {});
    // With --rm the engine removes it by itself; its name is free again before we report.
    if (body.HostConfig['AutoRemove'] === true) await waited.exit.catch(() => {});
    gone.abort();
    throw error;
  }
  using _size = body.Tty && stdout.isTTY ? followSize(stdout, (to) => containers.resize(id, to)) : undefined;
  return finish(context, await ended, waited.exit, gone);
}

const wantsProxy = (flags: ParsedFlags) => !flags.given('sig-proxy') || flags.bool('sig-proxy');

async function finish(
  context: CommandContext,
  end: SessionEnd,
  exit: Promise<{ StatusCode: number; Error?: { Message: string } | null }>,
  gone: AbortController,
): Promise<number> {
  if (end === 'detached') {
    gone.abort();
    return 0;
  }
  const { StatusCode, Error: problem } = await exit;
  if (problem?.Message) {
    context.err(`Error waiting for container: ${problem.Message}\n`);
    return 125;
  }
  return StatusCode;
}
