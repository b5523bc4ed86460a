import { setTimeout as sleep } from 'node:timers/promises';
import { type Command, type CommandContext, ExitError } from '../command.ts';
import { bool, text } from '../flags/flag-spec.ts';
import type { ParsedFlags } from '../flags/parse-flags.ts';
import { TABLE_FORMAT_DOC } from '../format/format-doc.ts';
import { printRows } from '../format/print-rows.ts';
import { STATS_TABLE, type StatsLine, statsRow } from '../format/stats-row.ts';
import { StatsBoard } from '../run/stats-board.ts';

const REDRAW_MS = 500;

export const stats: Command = {
  use: '[OPTIONS] [CONTAINER...]',
  short: 'Display a live stream of container(s) resource usage statistics',
  aliases: ['container stats', 'stats'],
  args: [0, Infinity],
  flags: [
    bool('a, all', 'Show all containers (default shows just running)'),
    text('format', TABLE_FORMAT_DOC),
    bool('no-stream', 'Disable streaming stats and only pull the first result'),
    bool('no-trunc', 'Do not truncate output'),
  ],
  async run(context, flags) {
    const show = (lines: readonly StatsLine[]) =>
      printRows(statsRow(!flags.bool('no-trunc')), lines, flags.text('format'), STATS_TABLE);
    // A wrong template is told before anything is asked.
    show([]);
    return flags.bool('no-stream') ? once(context, flags, show) : live(context, flags, show);
  },
};

type Show = (lines: readonly StatsLine[]) => string;

async function wanted({ client }: CommandContext, flags: ParsedFlags): Promise<string[]> {
  if (flags.args.length > 0) return [...new Set(flags.args)];
  const listed = await client.containers.list({ all: flags.bool('all') });
  return listed.map(({ Id }) => Id.slice(0, 12));
}

async function once(context: CommandContext, flags: ParsedFlags, show: Show): Promise<number> {
  const board = new StatsBoard(context.client);
  const failed = await board.fill(await wanted(context, flags));
  // Of those that were named one that fails is an error; of all there are it has gone meanwhile.
  if (flags.args.length > 0 && failed.length > 0) throw new ExitError(1, failed.join('\n'));
  context.out(show(board.lines));
  return 0;
}

async function live(context: CommandContext, flags: ParsedFlags, show: Show): Promise<number> {
  const board = new StatsBoard(context.client);
  const over = new AbortController();
  const failures: unknown[] = [];
  const fail = (error: unknown): void => void failures.push(error);
  if (flags.args.length === 0) board.followEvents(flags.bool('all'), over.signal).catch(fail);
  const onlyNamed = flags.args.length > 0;
  for (const name of await wanted(context, flags)) board.follow(name, over.signal, onlyNamed ? fail : () => {});
  try {
    await board.filled(over.signal);
    for (;;) {
      if (failures[0] !== undefined) throw failures[0];
      context.out(screen(show(board.lines)));
      // Those that were named can all be gone; without names others may come.
      if (onlyNamed && board.lines.length === 0) return 0;
      await sleep(REDRAW_MS);
    }
  } finally {
    over.abort();
  }
}

/** Drawn over what was there: home, each line cleared to its end, and all below the last. */
function screen(rows: string): string {
  return `\x1b[H${rows.replaceAll('\n', '\x1b[K\n')}\x1b[J`;
}
