import type { Command } from './command.ts';
import { COMMON, GROUPS, type Group, type Listed, OTHERS } from './command-list.ts';
import { flagHelp } from './flags/flag-help.ts';
import type { FlagSpec } from './flags/flag-spec.ts';

/** How help texts are laid out; the last column stays free. */
const columnsOf = (stdout: { columns?: number }) =>
  (stdout.columns === undefined || stdout.columns < 1 ? 80 : stdout.columns) - 1;

const commandLines = (commands: Readonly<Record<string, { summary: string }>>) =>
  Object.entries(commands)
    .map(([name, { summary }]) => `  ${name.padEnd(11)} ${summary}\n`)
    .join('');

/** The help text of one command. */
export function commandHelp(program: string, path: string, command: Command, stdout: { columns?: number }): string {
  const aliases = (command.aliases ?? []).map((alias) => `${program} ${alias}`).join(', ');
  const flags = command.flags.filter((flag) => flag.hidden !== true);
  return [
    `Usage:  ${path}${command.use === '' ? '' : ` ${command.use}`}\n`,
    `\n${command.short}\n`,
    aliases === '' ? '' : `\nAliases:\n  ${aliases}\n`,
    flags.length === 0 ? '' : `\nOptions:\n${flagHelp(flags, columnsOf(stdout))}`,
  ].join('');
}

/** The help text of a group such as `container`. */
export function groupHelp(path: string, group: Group): string {
  return [
    `\nUsage:  ${path} COMMAND\n`,
    `\n${group.summary}\n`,
    `\nCommands:\n${commandLines(group.commands)}`,
    `\nRun '${path} COMMAND --help' for more information on a command.\n`,
  ]
    .join('')
    .slice(1);
}

/** The help text of the program. */
export function programHelp(program: string, flags: readonly FlagSpec[], stdout: { columns?: number }): string {
  const others: Record<string, Listed | { summary: string }> = {
    ...OTHERS,
    daemon: { summary: 'Run the engine' },
    service: { summary: 'Start the engine when the host starts' },
  };
  const sorted = Object.fromEntries(Object.entries(others).sort(([a], [b]) => (a < b ? -1 : 1)));
  return [
    `Usage:  ${program} [OPTIONS] COMMAND\n`,
    '\nContainers for Linux, speaking the Docker API\n',
    `\nCommon Commands:\n${commandLines(COMMON)}`,
    `\nManagement Commands:\n${commandLines(GROUPS)}`,
    `\nCommands:\n${commandLines(sorted)}`,
    `\nGlobal Options:\n${flagHelp(flags, columnsOf(stdout))}`,
    `\nRun '${program} COMMAND --help' for more information on a command.\n`,
  ].join('');
}
