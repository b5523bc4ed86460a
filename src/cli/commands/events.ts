import { parseExact } from '../../client/json-stream.ts';
import type { EventMessage } from '../../client/types.ts';
import { messageOf } from '../../util/errors.ts';
import { sortedKeys } from '../../util/template/go-print.ts';
import { compileTemplate } from '../../util/template/template.ts';
import { type Command, ExitError } from '../command.ts';
import { list, text } from '../flags/flag-spec.ts';
import { filter, filterMap } from '../flags/values.ts';
import { OBJECT_FORMAT_DOC } from '../format/format-doc.ts';
import { rfc3339 } from '../format/local-time.ts';
import { moment } from '../run/moment.ts';

export const events: Command = {
  use: '[OPTIONS]',
  short: 'Get real time events from the server',
  aliases: ['system events', 'events'],
  args: [0, 0],
  flags: [
    list('f, filter', 'Filter output based on conditions provided', { type: 'filter', parse: filter }),
    text('format', OBJECT_FORMAT_DOC),
    text('since', 'Show all events created since timestamp'),
    text('until', 'Stream events until this timestamp'),
  ],
  async run({ client, out }, flags) {
    const filters = filterMap(flags.list('filter'));
    const show = shower(flags.text('format'));
    const query = {
      since: moment('since', flags.text('since')),
      until: moment('until', flags.text('until')),
      filters: Object.keys(filters).length === 0 ? '' : JSON.stringify(filters),
    };
    for await (const line of client.events(query)) out(`${show(line)}\n`);
    return 0;
  },
};

function shower(format: string): (line: string) => string {
  if (format === 'json') return (line) => line;
  if (format === '') return (line) => plain(parseExact(line) as EventMessage);
  try {
    const template = compileTemplate(format.replaceAll('\\t', '\t').replaceAll('\\n', '\n'));
    return (line) => template.execute(withTypes(parseExact(line) as Record<string, unknown>));
  } catch (error) {
    throw new ExitError(64, `Error parsing format: ${messageOf(error)}`);
  }
}

/** Go's names for the fields that JSON writes small. */
function withTypes(event: Record<string, unknown>): Record<string, unknown> {
  const { status, id, from, scope, time, timeNano, ...rest } = event;
  return {
    ...rest,
    Status: status ?? '',
    ID: id ?? '',
    From: from ?? '',
    Scope: scope,
    Time: time,
    TimeNano: timeNano,
  };
}

function plain({ Type, Action, Actor, time, timeNano }: EventMessage): string {
  const stamp = timeNano
    ? rfc3339(Number(BigInt(timeNano) / 1_000_000_000n), Number(BigInt(timeNano) % 1_000_000_000n))
    : rfc3339(time, 0);
  const attributes = sortedKeys(Actor.Attributes ?? {}).map((key) => `${key}=${Actor.Attributes?.[key]}`);
  const shown = attributes.length === 0 ? '' : ` (${attributes.join(', ')})`;
  return `${stamp} ${Type} ${Action} ${Actor.ID}${shown}`;
}
