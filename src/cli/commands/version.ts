import { API_VERSION } from '../../client/client.ts';
import type { ServerVersion } from '../../client/types.ts';
import { messageOf } from '../../util/errors.ts';
import { goJson } from '../../util/template/go-print.ts';
import { type Command, type CommandContext, ExitError } from '../command.ts';
import { text } from '../flags/flag-spec.ts';
import { OBJECT_FORMAT_DOC } from '../format/format-doc.ts';
import { ansic } from '../format/local-time.ts';
import { alignTabs } from '../format/tab-table.ts';

export const version: Command = {
  use: '[OPTIONS]',
  short: 'Show the Docker version information',
  args: [0, 0],
  flags: [text('f, format', OBJECT_FORMAT_DOC)],
  async run(context, flags) {
    const format = flags.text('format');
    const [server, problem] = await ask(context);
    const client = await clientOf(context, server !== undefined);
    if (format === '') context.out(table(client, server));
    else await formatted(context, format, { Client: client, Server: server ?? null });
    if (problem !== undefined) throw new ExitError(1, messageOf(problem));
    return 0;
  },
};

async function ask({ client }: CommandContext): Promise<[ServerVersion | undefined, unknown]> {
  try {
    return [dated(await client.version()), undefined];
  } catch (error) {
    return [undefined, error];
  }
}

type ClientVersion = Record<string, string>;

async function clientOf({ client, version: own }: CommandContext, connected: boolean): Promise<ClientVersion> {
  return {
    Version: own,
    ApiVersion: connected ? await client.apiVersion() : API_VERSION,
    DefaultAPIVersion: API_VERSION,
    NodeVersion: process.version,
    Os: process.platform,
    Arch: process.arch === 'x64' ? 'amd64' : process.arch,
    Context: 'default',
  };
}

/** Build times are shown in Go's ANSIC form. */
function dated(server: ServerVersion): ServerVersion {
  const parts = (server.Components ?? []).map((component) => {
    const { BuildTime } = component.Details ?? {};
    return BuildTime === undefined
      ? component
      : { ...component, Details: { ...component.Details, BuildTime: ansic(BuildTime) } };
  });
  return {
    ...server,
    ...(server.BuildTime === undefined ? {} : { BuildTime: ansic(server.BuildTime) }),
    Components: parts,
  };
}

async function formatted(context: CommandContext, format: string, data: object): Promise<void> {
  if (format === 'json') return context.out(`${goJson(data, false)}\n`);
  const { compileTemplate } = await import('../../util/template/template.ts');
  try {
    context.out(`${compileTemplate(format, { missingKey: 'error' }).execute(data)}\n`);
  } catch (error) {
    throw new ExitError(64, `template parsing error: ${messageOf(error)}`);
  }
}

function table(client: ClientVersion, server: ServerVersion | undefined): string {
  const api = client['ApiVersion'] ?? '';
  const downgraded = api === client['DefaultAPIVersion'] ? '' : ` (downgraded from ${client['DefaultAPIVersion']})`;
  const own = [
    'Client:',
    ` Version:\t${client['Version']}`,
    ` API version:\t${api}${downgraded}`,
    ` Node version:\t${client['NodeVersion']}`,
    ` OS/Arch:\t${client['Os']}/${client['Arch']}`,
    ` Context:\t${client['Context']}`,
  ];
  const theirs = server === undefined ? [] : ['', `Server:${nameOf(server)}`, ...components(server)];
  return alignTabs(`${[...own, ...theirs].join('\n')}\n`, { minWidth: 20, padding: 1 });
}

const nameOf = ({ Platform }: ServerVersion) => (Platform?.Name ? ` ${Platform.Name}` : '');

function components({ Components = [] }: ServerVersion): string[] {
  return Components.flatMap(({ Name, Version, Details = {} }) => {
    const details = Object.entries(Details);
    if (Name !== 'Engine')
      return [` ${Name}:`, `  Version:\t${Version}`, ...details.map(([key, value]) => `  ${key}:\t${value}`)];
    return [
      ' Engine:',
      `  Version:\t${Version}`,
      `  API version:\t${Details['ApiVersion']} (minimum version ${Details['MinAPIVersion']})`,
      ...(Details['GoVersion'] ? [`  Go version:\t${Details['GoVersion']}`] : []),
      `  Git commit:\t${Details['GitCommit']}`,
      `  Built:\t${Details['BuildTime']}`,
      `  OS/Arch:\t${Details['Os']}/${Details['Arch']}`,
      `  Experimental:\t${Details['Experimental']}`,
    ];
  });
}
