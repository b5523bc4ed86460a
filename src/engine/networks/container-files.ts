import { readFile } from 'node:fs/promises';
import { ifExists } from '../../util/files.ts';
import { hostsFile } from './hosts-file.ts';
import type { FilesRequest } from './networks.ts';
import { containerResolvConf, isStubOnly } from './resolv-conf.ts';

const read = async (path: string): Promise<string> => (await ifExists(() => readFile(path, 'utf8'))) ?? '';

/** The host's resolvers, looked up where systemd-resolved keeps the real ones when it hides them. */
async function hostResolvConf(): Promise<string> {
  const text = await read('/etc/resolv.conf');
  return isStubOnly(text) ? read('/run/systemd/resolve/resolv.conf') : text;
}

/** What the engine adds to a request. */
export interface FileDefaults {
  /** Resolvers of the daemon's configuration. */
  dns: readonly string[];
  hostGateway: string;
}

/** Contents of /etc/hosts, /etc/resolv.conf and /etc/hostname, as dockerd writes them; read from the host each time. */
export async function containerFiles(request: FilesRequest, { dns, hostGateway }: FileDefaults) {
  const { sandbox, extraHosts, hostname, domainname } = request;
  const onHost = sandbox.netnsPath === undefined;
  const asked = {
    nameservers: [...(request.dns.length > 0 ? request.dns : dns)],
    search: [...request.dnsSearch],
    options: [...request.dnsOptions],
  };
  const address = Object.values(sandbox.endpoints)[0]?.ipAddress ?? '';
  const plain = asked.nameservers.length + asked.search.length + asked.options.length === 0;
  return {
    hosts:
      onHost && extraHosts.length === 0
        ? await read('/etc/hosts')
        : hostsFile({ extraHosts, hostGateway, address, hostname, domainname }),
    resolvConf: onHost && plain ? await read('/etc/resolv.conf') : containerResolvConf(await hostResolvConf(), asked),
    hostname: `${hostname}\n`,
  };
}
