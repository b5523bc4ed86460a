import type { Command } from '../command.ts';

/** Modified, added, deleted, as the API numbers them. */
const LETTERS = ['C', 'A', 'D'];

export const diff: Command = {
  use: 'CONTAINER',
  short: "Inspect changes to files or directories on a container's filesystem",
  aliases: ['container diff', 'diff'],
  args: [1, 1],
  flags: [],
  async run({ client, out }, { args: [container = ''] }) {
    const changes = (await client.containers.changes(container)) ?? [];
    out(changes.map(({ Path, Kind }) => `${LETTERS[Kind] ?? '?'} ${Path}\n`).join(''));
    return 0;
  },
};
