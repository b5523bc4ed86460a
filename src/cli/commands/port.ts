import { type Command, ExitError } from '../command.ts';

const join = (ip: string, port: string) => (ip.includes(':') ? `[${ip}]:${port}` : `${ip}:${port}`);

export const port: Command = {
  use: 'CONTAINER [PRIVATE_PORT[/PROTO]]',
  short: 'List port mappings or a specific mapping for the container',
  aliases: ['container port', 'port'],
  args: [1, 2],
  flags: [],
  async run({ client, out }, { args: [name = '', wanted] }) {
    const container = await client.containers.inspect(name);
    const ports = container.NetworkSettings.Ports ?? {};
    if (wanted !== undefined) {
      const bindings = ports[wanted.includes('/') ? wanted : `${wanted}/tcp`];
      if (!bindings) throw new ExitError(1, `Error: No public port '${wanted}' published for ${name}`);
      out(bindings.map(({ HostIp, HostPort }) => `${join(HostIp, HostPort)}\n`).join(''));
      return 0;
    }
    const lines = Object.entries(ports).flatMap(([inside, bindings]) =>
      (bindings ?? []).map(({ HostIp, HostPort }) => `${inside} -> ${join(HostIp, HostPort)}`),
    );
    out(
      lines
        .sort((a, b) => Number.parseInt(a, 10) - Number.parseInt(b, 10) || (a < b ? -1 : 1))
        .map((line) => `${line}\n`)
        .join(''),
    );
    return 0;
  },
};
