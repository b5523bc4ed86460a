import { hostname } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { invalid, messageOf } from '../../../util/errors.ts';
import { extraAttributes } from '../extra-attributes.ts';
import type { LogSubject } from '../log-subject.ts';
import { tagOf } from '../log-tag.ts';
import { LABEL_OPTIONS, type LogDriver, type LogMessage, type LogOptions, type LogSink } from './driver.ts';
import { type Compression, gelfDatagrams } from './gelf-datagrams.ts';
import { StreamConnection } from './stream-connection.ts';
import { parseTransportUrl, type TransportUrl } from './transport-url.ts';
import { UdpSocket } from './udp-socket.ts';

const [INFO, ERROR] = [6, 3];
const UDP_ONLY = ['gelf-compression-level', 'gelf-compression-type'];
const TCP_ONLY = ['gelf-tcp-max-reconnect', 'gelf-tcp-reconnect-delay'];
const RECONNECTS = 3;
const RECONNECT_DELAY = 1;

function parseAddress(address = ''): TransportUrl & { port: number } {
  if (address === '') throw invalid('gelf-address is a required parameter');
  if (!/^(tcp|tcp\+tls|udp|unix|unixgram):\/\//.test(address)) {
    throw invalid(`gelf-address should be in form proto://address, got ${address}`);
  }
  const url = parseTransportUrl(address);
  if (url.scheme !== 'tcp' && url.scheme !== 'udp') throw invalid('gelf: endpoint needs to be TCP or UDP');
  if (url.port === undefined) throw invalid('gelf: please provide gelf-address as proto://host:port');
  return { ...url, port: url.port };
}

function checkOptions(options: LogOptions): void {
  const { scheme } = parseAddress(options['gelf-address']);
  const misplaced = (scheme === 'udp' ? TCP_ONLY : UDP_ONLY).find((name) => options[name] !== undefined);
  if (misplaced !== undefined) {
    throw invalid(scheme === 'udp' ? `"${misplaced}" is only valid for TCP` : 'compression is only supported on UDP');
  }
  const bad = (name: string) => invalid(`unknown value "${options[name]}" for log opt "${name}" for gelf log driver`);
  const level = options['gelf-compression-level'] ?? '-1';
  if (!/^-?\d+$/.test(level) || Number(level) < -1 || Number(level) > 9) throw bad('gelf-compression-level');
  if (!['gzip', 'zlib', 'none'].includes(options['gelf-compression-type'] ?? 'gzip'))
    throw bad('gelf-compression-type');
  for (const name of TCP_ONLY) {
    if (!/^\+?\d+$/.test(options[name] ?? '0')) throw invalid(`"${name}" must be a positive integer`);
  }
}

/** The part that is the same in all messages of a container. */
function constantFields(options: LogOptions, subject: LogSubject): Record<string, string> {
  const extra = Object.entries(extraAttributes(options, subject));
  return {
    _command: subject.command.join(' '),
    _container_id: subject.id,
    _container_name: subject.name,
    _created: subject.created,
    _image_id: subject.imageId,
    _image_name: subject.imageName,
    _tag: tagOf(options, subject),
    // As in Docker, a label that was asked for may stand for one of these.
    ...Object.fromEntries(extra.map(([name, value]) => [name.startsWith('_') ? name : `_${name}`, value])),
  };
}

function open(options: LogOptions, subject: LogSubject): LogSink {
  const address = parseAddress(options['gelf-address']);
  const fields = constantFields(options, subject);
  const transport = address.scheme === 'udp' ? overUdp(address, options) : overTcp(address, options);
  const endpoint = `${address.host}:${address.port}`;
  const host = hostname();
  const encode = ({ stream, line, time }: LogMessage): string =>
    JSON.stringify({
      version: '1.1',
      host,
      short_message: line.toString(),
      timestamp: Number(time / 1_000_000n) / 1000,
      level: stream === 'stderr' ? ERROR : INFO,
      ...fields,
    });
  return {
    connect: () =>
      transport.connect().catch((error: unknown) => {
        throw new Error(`gelf: cannot connect to GELF endpoint: ${endpoint} ${messageOf(error)}`, { cause: error });
      }),
    send: async (message) => {
      if (message.line.length > 0) await transport.send(encode(message));
    },
    close: () => transport.close(),
  };
}

function overUdp({ host, port }: { host: string; port: number }, options: LogOptions) {
  const socket = new UdpSocket(host, port);
  const compression = (options['gelf-compression-type'] ?? 'gzip') as Compression;
  // Docker's default is the fastest level.
  const level = Number(options['gelf-compression-level'] ?? 1);
  return {
    connect: () => socket.connect(),
    send: async (text: string) => {
      for (const datagram of gelfDatagrams(Buffer.from(text), compression, level)) await socket.send(datagram);
    },
    close: () => socket.close(),
  };
}

function overTcp({ host, port }: { host: string; port: number }, options: LogOptions) {
  const connection = new StreamConnection({ host: host || '127.0.0.1', port });
  const closing = new AbortController();
  const most = Number(options['gelf-tcp-max-reconnect'] ?? RECONNECTS);
  const delay = Number(options['gelf-tcp-reconnect-delay'] ?? RECONNECT_DELAY) * 1000;
  return {
    connect: () => connection.connect(),
    send: async (text: string) => {
      const bytes = Buffer.from(`${text}\0`);
      for (let tries = 0; ; tries++) {
        try {
          return await connection.send(bytes);
        } catch (error) {
          connection.drop();
          if (tries >= most) throw error;
        }
        await sleep(delay, undefined, { signal: closing.signal });
      }
    },
    close: () => {
      closing.abort();
      connection.close();
    },
  };
}

/** Docker's `gelf` driver. */
export const gelf: LogDriver = {
  options: [...LABEL_OPTIONS, 'gelf-address', ...UDP_ONLY, ...TCP_ONLY],
  check: checkOptions,
  open,
};
