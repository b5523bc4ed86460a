import { type Command, type CommandContext, ExitError } from '../command.ts';
import { bool, list, text } from '../flags/flag-spec.ts';
import type { ParsedFlags } from '../flags/parse-flags.ts';
import { readEnv } from '../run/env-files.ts';
import { labelOrEnv } from '../run/flag-values.ts';
import { followSize, sizeOf } from '../terminal/resize.ts';
import { runSession } from '../terminal/session.ts';

export const exec: Command = {
  use: '[OPTIONS] CONTAINER COMMAND [ARG...]',
  short: 'Execute a command in a running container',
  aliases: ['container exec', 'exec'],
  args: [2, Infinity],
  interspersed: false,
  flags: [
    bool('d, detach', 'Detached mode: run command in the background'),
    text('detach-keys', 'Override the key sequence for detaching a container'),
    list('e, env', 'Set environment variables', { parse: labelOrEnv }),
    list('env-file', 'Read in a file of environment variables'),
    bool('i, interactive', 'Keep STDIN open even if not attached'),
    bool('privileged', 'Give extended privileges to the command'),
    bool('t, tty', 'Allocate a pseudo-TTY'),
    text('u, user', 'Username or UID (format: "<name|uid>[:<group|gid>]")'),
    text('w, workdir', 'Working directory inside the container'),
  ],
  async run(context, flags) {
    const { client } = context;
    const [container = '', ...command] = flags.args;
    const tty = flags.bool('tty');
    const detached = flags.bool('detach');
    const body = execBody(context, flags, command);
    // Asked first: a container that is not there is the clearer error.
    await client.containers.inspect(container);
    if (!detached && tty && flags.bool('interactive') && !context.stdin.isTTY) {
      throw new ExitError(1, 'the input device is not a TTY');
    }
    const { Id: id } = await client.execs.create(container, body);
    if (detached) {
      await client.execs.startDetached(id, tty);
      return 0;
    }
    return interactive(context, flags, id, tty);
  },
};

function execBody(context: CommandContext, flags: ParsedFlags, command: string[]): object {
  const attach = !flags.bool('detach');
  return {
    User: flags.text('user'),
    Privileged: flags.bool('privileged'),
    Tty: flags.bool('tty'),
    AttachStdin: attach && flags.bool('interactive'),
    AttachStdout: attach,
    AttachStderr: attach,
    DetachKeys: flags.text('detach-keys'),
    Env: readEnv(flags.list('env-file'), flags.list('env'), context.env),
    WorkingDir: flags.text('workdir'),
    Cmd: command,
  };
}

async function interactive(context: CommandContext, flags: ParsedFlags, id: string, tty: boolean): Promise<number> {
  const { stdin, stdout, stderr, client } = context;
  const size = tty ? sizeOf(stdout) : undefined;
  const console = size === undefined ? {} : { ConsoleSize: [size.height, size.width] as [number, number] };
  const { socket } = await client.execs.start(id, { Tty: tty, ...console });
  using _size = tty && stdout.isTTY ? followSize(stdout, (to) => client.execs.resize(id, to)) : undefined;
  const end = await runSession({
    socket,
    tty,
    stdin: flags.bool('interactive') ? stdin : undefined,
    stdout,
    stderr,
    detachKeys: flags.text('detach-keys'),
  });
  if (end === 'detached') throw new ExitError(1, 'read escape sequence');
  const { ExitCode } = await client.execs.inspect(id);
  return ExitCode ?? 0;
}
