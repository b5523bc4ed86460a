import { statSync } from 'node:fs';
import { hostname } from 'node:os';
import { hasCode, invalid } from '../../../util/errors.ts';
import type { LogSubject } from '../log-subject.ts';
import { tagOf } from '../log-tag.ts';
import { LABEL_OPTIONS, type LogDriver, type LogMessage, type LogOptions, type LogSink } from './driver.ts';
import { LocalSyslog } from './local-syslog.ts';
import { Redial } from './redial.ts';
import { StreamConnection } from './stream-connection.ts';
import { formatSyslog, SYSLOG_FORMATS, type SyslogFormat } from './syslog-format.ts';
import { syslogTls } from './tls-options.ts';
import { parseTransportUrl } from './transport-url.ts';
import { UdpSocket } from './udp-socket.ts';
import { UnixDatagrams } from './unix-datagrams.ts';

const FACILITIES =
  'kern user mail daemon auth syslog lpr news uucp cron authpriv ftp ntp security console solaris-cron local0 local1 local2 local3 local4 local5 local6 local7'.split(
    ' ',
  );
/** Those between `ftp` and `local0` have numbers and no names. */
const NAMELESS = FACILITIES.slice(12, 16);
const DAEMON = 3;
const [INFO, ERROR] = [6, 3];

type Address = { scheme: string; host: string; port: number; path: string };

function parseAddress(address = ''): Address {
  if (address === '') return { scheme: 'local', host: '', port: 0, path: '' };
  if (!/^(tcp|tcp\+tls|udp|unix|unixgram):\/\//.test(address)) {
    throw invalid(`syslog-address should be in form proto://address, got ${address}`);
  }
  const { scheme, host, port = 514, path } = parseTransportUrl(address);
  if (scheme.startsWith('unix')) checkSocket(path);
  return { scheme, host, port, path };
}

function checkSocket(path: string): void {
  try {
    statSync(path);
  } catch (error) {
    throw invalid(`stat ${path}: ${hasCode(error, 'ENOENT') ? 'no such file or directory' : String(error)}`, error);
  }
}

function parseFacility(name = ''): number {
  if (name === '') return DAEMON;
  const index = FACILITIES.indexOf(name);
  if (index !== -1 && !NAMELESS.includes(name)) return index;
  if (/^\d+$/.test(name) && Number(name) <= 23) return Number(name);
  throw invalid('invalid syslog facility');
}

function parseFormat(name = ''): SyslogFormat {
  const format = SYSLOG_FORMATS.find((it) => it === name);
  if (format === undefined) throw invalid('Invalid syslog format');
  return format;
}

function open(options: LogOptions, subject: LogSubject): LogSink {
  const address = parseAddress(options['syslog-address']);
  const facility = parseFacility(options['syslog-facility']);
  const format = parseFormat(options['syslog-format']);
  const tag = tagOf(options, subject);
  const host = hostname();
  const framed = address.scheme === 'tcp+tls' && format.startsWith('rfc5424');
  const transport = openTransport(address, options);
  return {
    connect: () => transport.connect(),
    send: async ({ stream, line, time }: LogMessage) => {
      if (line.length === 0) return;
      const priority = facility * 8 + (stream === 'stderr' ? ERROR : INFO);
      const head = formatSyslog(format, { priority, tag, host, pid: process.pid, time });
      const text = Buffer.concat([Buffer.from(head), line, Buffer.from('\n')]);
      await transport.send(framed ? Buffer.concat([Buffer.from(`${text.length} `), text]) : text);
    },
    close: () => transport.close(),
  };
}

interface Transport {
  connect(): Promise<void>;
  send(bytes: Buffer): Promise<void>;
  close(): void;
}

function openTransport({ scheme, host, port, path }: Address, options: LogOptions): Transport {
  if (scheme === 'local') return new LocalSyslog();
  if (scheme === 'udp') return new UdpSocket(host, port);
  if (scheme === 'unixgram') return new UnixDatagrams(path);
  const tls = scheme === 'tcp+tls' ? { tls: syslogTls(options, host) } : {};
  const connection = new StreamConnection(scheme === 'unix' ? { path } : { host, port, ...tls });
  const redial = new Redial();
  const pass = async (bytes: Buffer): Promise<void> => {
    await redial.run(() => connection.connect());
    await connection.send(bytes);
  };
  return {
    connect: () => connection.connect(),
    // As in Docker: a message is tried once more on a new connection, and is lost when that fails too.
    send: (bytes) =>
      pass(bytes).catch(() => {
        connection.drop();
        return pass(bytes);
      }),
    close: () => connection.close(),
  };
}

/** Docker's `syslog` driver. */
export const syslog: LogDriver = {
  options: [
    ...LABEL_OPTIONS,
    'syslog-address',
    'syslog-facility',
    'syslog-format',
    'syslog-tls-ca-cert',
    'syslog-tls-cert',
    'syslog-tls-key',
    'syslog-tls-skip-verify',
  ],
  check: (options) => {
    parseAddress(options['syslog-address']);
    parseFacility(options['syslog-facility']);
    parseFormat(options['syslog-format']);
  },
  open,
};
