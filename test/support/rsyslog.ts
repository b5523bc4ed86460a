import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually } from './containers.ts';
import { makeKeyPair } from './key-pair.ts';

/** A real rsyslogd, with every transport that it has. Paths are on the host; the certificate is that of the receiver, and the authority of its clients. */
export interface Rsyslog extends AsyncDisposable {
  readonly udp: string;
  readonly tcp: string;
  readonly tls: string;
  /** As `tls`, but for clients with a certificate only. */
  readonly mutual: string;
  readonly unixgram: string;
  readonly cert: string;
  readonly key: string;
  /** The messages with that tag, as `host program[pid] priority: text`. */
  received(tag: string): Promise<string[]>;
}

export async function startRsyslog(): Promise<Rsyslog> {
  await using undo = new AsyncDisposableStack();
  const dir = await mkdtemp(join(tmpdir(), 'rsyslog-'));
  undo.defer(() => rm(dir, { recursive: true, force: true }));
  const pair = makeKeyPair(dir);
  const [udp = 0, tcp = 0, tls = 0, mutual = 0] = await freePorts(4);
  const [out, socket, config] = [join(dir, 'out'), join(dir, 'socket'), join(dir, 'rsyslog.conf')];
  await writeFile(config, configuration({ dir, out, socket, udp, tcp, tls, mutual, ...pair }));
  const daemon = spawn('rsyslogd', ['-n', '-f', config, '-i', join(dir, 'pid')], { stdio: 'ignore' });
  undo.defer(async () => {
    if (daemon.exitCode !== null) return;
    const ended = once(daemon, 'exit');
    daemon.kill();
    await ended;
  });
  await eventually('rsyslogd listens', () => existsSync(socket));
  const stack = undo.move();
  return {
    udp: `udp://127.0.0.1:${udp}`,
    tcp: `tcp://127.0.0.1:${tcp}`,
    tls: `tcp+tls://127.0.0.1:${tls}`,
    mutual: `tcp+tls://127.0.0.1:${mutual}`,
    unixgram: `unixgram://${socket}`,
    ...pair,
    received: async (tag) => {
      const lines = existsSync(out) ? (await readFile(out, 'utf8')).split('\n') : [];
      return lines.filter((line) => line.split(' ')[1]?.startsWith(tag) === true);
    },
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

/** Ports that nobody used a moment ago. */
async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer().listen(0, '127.0.0.1'));
  await Promise.all(servers.map((server) => once(server, 'listening')));
  const ports = servers.map((server) => (server.address() as AddressInfo).port);
  await Promise.all(servers.map((server) => once(server.close(), 'close')));
  return ports;
}

interface Places {
  dir: string;
  out: string;
  socket: string;
  udp: number;
  tcp: number;
  tls: number;
  mutual: number;
  cert: string;
  key: string;
}

function configuration({ dir, out, socket, udp, tcp, tls, mutual, cert, key }: Places): string {
  const files = `StreamDriver.CAFile="${cert}" StreamDriver.CertFile="${cert}" StreamDriver.KeyFile="${key}"`;
  const secure = (port: number, mode: string) =>
    `input(type="imtcp" address="127.0.0.1" port="${port}" StreamDriver.Name="ossl" StreamDriver.Mode="1" StreamDriver.AuthMode="${mode}" ${files})`;
  return `global(workDirectory="${dir}" maxMessageSize="64k")
module(load="imuxsock" SysSock.Use="off")
module(load="imudp")
module(load="imtcp")
template(name="line" type="string" string="%hostname% %app-name%[%procid%] %syslogfacility-text%.%syslogseverity-text%:%msg%\\n")
input(type="imudp" address="127.0.0.1" port="${udp}")
input(type="imtcp" address="127.0.0.1" port="${tcp}")
${secure(tls, 'anon')}
${secure(mutual, 'x509/certvalid')}
input(type="imuxsock" Socket="${socket}")
action(type="omfile" file="${out}" template="line")
`;
}
