import type { ProgressMessage } from '../../client/types.ts';
import { internal } from '../../util/errors.ts';
import { humanSize } from './units.ts';

function bar(current: number, total: number): string {
  if (total <= 0) return `  ${humanSize(current, 4)}`;
  const done = Math.min(50, Math.trunc((current / total) * 50));
  const drawn = done < 50 ? `${'='.repeat(done)}>${' '.repeat(49 - done)}` : `${'='.repeat(50)}>`;
  const numbers = `${humanSize(current, 4).padStart(8)}/${humanSize(Math.max(total, current), 4)}`;
  return `[${drawn}] ${numbers}`;
}

/** One message as text without its line end. */
function lineOf({ id, status, progressDetail }: ProgressMessage): string {
  const { current = 0, total = 0 } = progressDetail ?? {};
  const shown = current > 0 ? ` ${bar(current, total)}` : ' ';
  return `${id === undefined ? '' : `${id}: `}${status ?? ''}${progressDetail === undefined ? '' : shown}`;
}

/**
 * Shows the progress of a pull or import. On a terminal every id keeps its line; elsewhere moving bars are left out.
 *
 * @throws `internal` with the engine's words when a message reports an error.
 */
export async function showProgress(
  messages: AsyncIterable<ProgressMessage>,
  target: NodeJS.WriteStream,
  options: { quiet?: boolean } = {},
): Promise<void> {
  const lines = new Map<string, number>();
  for await (const message of messages) {
    const error = message.errorDetail?.message ?? message.error;
    if (error !== undefined) throw internal(error);
    // A result without words is for programs.
    if (options.quiet === true || (message.status === undefined && message.stream === undefined)) continue;
    if (message.stream !== undefined) target.write(message.stream);
    else if (target.isTTY) showOnTerminal(message, target, lines);
    else if ((message.progressDetail?.current ?? 0) === 0) target.write(`${lineOf(message).trimEnd()}\n`);
  }
}

function showOnTerminal(message: ProgressMessage, target: NodeJS.WriteStream, lines: Map<string, number>): void {
  const { id } = message;
  if (id === undefined || message.progressDetail === undefined) {
    lines.clear();
    target.write(`${lineOf(message)}\n`);
    return;
  }
  const known = lines.get(id);
  if (known === undefined) {
    lines.set(id, lines.size);
    target.write(`${lineOf(message)}\n`);
    return;
  }
  const up = lines.size - known;
  target.write(`\x1b[${up}A\x1b[2K\r${lineOf(message)}\r\x1b[${up}B`);
}
