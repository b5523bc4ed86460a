import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { type AddressInfo, createServer as createStreamServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { createServer } from 'node:tls';
import type { LogMessage } from './driver.ts';
import { parseFluentdAddress } from './fluentd-address.ts';
import { journalEntry } from './journal-entry.ts';
import { openJournal } from './journald.ts';
import { LocalSyslog } from './local-syslog.ts';
import { eventTime, pack } from './msgpack.ts';
import { syslog } from './syslog.ts';
import { formatSyslog } from './syslog-format.ts';
import { parseTransportUrl } from './transport-url.ts';

const dir = await mkdtemp(join(tmpdir(), 'gantry-drivers-'));
after(() => rm(dir, { recursive: true }));

const subject = {
  id: 'abcdef0123456789',
  name: 'web',
  imageId: 'sha256:feed',
  imageName: 'nginx',
  created: '2026-01-02T03:04:05.6Z',
  command: ['nginx'],
  labels: { 'app.name': 'x', message: 'not this', __: 'nameless', syslog_identifier: 'app' },
  env: [],
  path: '',
};
const say = (line: string, partial?: LogMessage['partial']): LogMessage => ({
  stream: 'stdout',
  line: Buffer.from(line),
  time: 0n,
  ...(partial === undefined ? {} : { partial }),
});

test('heads of syslog', () => {
  const time = BigInt(new Date(2026, 0, 2, 3, 4, 5).getTime()) * 1_000_000n + 6_007_008n;
  const head = { priority: 30, tag: 't', host: 'h', pid: 7, time };
  assert.equal(formatSyslog('', head), '<30>Jan  2 03:04:05 t[7]: ');
  assert.equal(formatSyslog('rfc3164', head), '<30>Jan  2 03:04:05 h t[7]: ');
  assert.match(formatSyslog('rfc5424', head), /^<30>1 2026-01-02T03:04:05(Z|[+-]\d\d:\d\d) h t 7 t - $/);
  assert.match(formatSyslog('rfc5424micro', head), /^<30>1 2026-01-02T03:04:05\.006007(Z|[+-]\d\d:\d\d) h t 7 t - $/);
});

test('addresses', () => {
  assert.deepEqual(parseTransportUrl('tcp://[::1]:5'), { scheme: 'tcp', host: '::1', port: 5, path: '' });
  assert.deepEqual(parseTransportUrl('unix:///a/b'), { scheme: 'unix', host: '', port: undefined, path: '/a/b' });
  assert.throws(() => parseTransportUrl('tcp://[::1'), { message: 'parse "tcp://[::1": missing \']\' in host' });
  assert.deepEqual(parseFluentdAddress(), { host: '127.0.0.1', port: 24224 });
  assert.deepEqual(parseFluentdAddress('h'), { host: 'h', port: 24224 });
  assert.deepEqual(parseFluentdAddress('unix:///s'), { path: '/s' });
  assert.deepEqual(parseFluentdAddress('tls://h:1'), {
    host: 'h',
    port: 1,
    tls: { minVersion: 'TLSv1.2', servername: 'h' },
  });
  assert.deepEqual(parseFluentdAddress('tls://127.0.0.1:1'), {
    host: '127.0.0.1',
    port: 1,
    tls: { minVersion: 'TLSv1.2' },
  });
  const faults: [address: string, fault: string][] = [
    ['http://x', "unsupported scheme: 'http'"],
    ['unix:///', 'path is empty'],
    ['tcp://x/y', 'should not contain a path element'],
    ['x:y', 'parse "tcp://x:y": invalid port ":y" after host'],
    ['x:99999', 'invalid port: strconv.ParseUint: parsing "99999": value out of range'],
  ];
  for (const [address, fault] of faults)
    assert.throws(() => parseFluentdAddress(address), { message: `invalid fluentd-address (${address}): ${fault}` });
});

test('MessagePack', () => {
  assert.equal(pack(['a', 1, { b: 'c' }]).toString('hex'), '93a161ce0000000181a162a163');
  assert.equal(pack('x'.repeat(40)).subarray(0, 2).toString('hex'), 'd928');
  assert.equal(pack('x'.repeat(300)).subarray(0, 3).toString('hex'), 'da012c');
  assert.equal(pack('x'.repeat(70_000)).subarray(0, 5).toString('hex'), 'db00011170');
  assert.equal(
    pack(Array.from({ length: 20 }, () => 'a'))
      .subarray(0, 3)
      .toString('hex'),
    'dc0014',
  );
  assert.equal(pack(eventTime(2_000_000_003n)).toString('hex'), 'd7000000000200000003'.slice(0, 20));
});

test('an entry of the journal', () => {
  const entry = journalEntry({ A: 'x', MESSAGE: Buffer.from('a\nb') });
  assert.equal(entry.toString('latin1'), 'A=x\nMESSAGE\n\x03\0\0\0\0\0\0\0a\nb\n');
});

// Receives datagrams on a unix socket, and prints each in hexadecimal on a line of its own.
const RECEIVER = `use Socket; $| = 1; socket(my $s, AF_UNIX, SOCK_DGRAM, 0); bind($s, sockaddr_un($ARGV[0])) or die $!;
print "ready\\n"; while (defined recv($s, my $m, 1000000, 0)) { print unpack('H*', $m), "\\n" }`;

async function datagramReceiver(path: string) {
  const child = spawn('perl', ['-e', RECEIVER, path], { stdio: ['ignore', 'pipe', 'inherit'] });
  let text = '';
  child.stdout.on('data', (chunk) => (text += String(chunk)));
  const line = async (): Promise<string> => {
    while (!text.includes('\n')) await sleep(5);
    const at = text.indexOf('\n');
    const first = text.slice(0, at);
    text = text.slice(at + 1);
    return first;
  };
  assert.equal(await line(), 'ready');
  return {
    next: async () => Buffer.from(await line(), 'hex').toString(),
    end: async () => {
      child.kill();
      await once(child, 'exit');
    },
  };
}

test('the journal gets its fields, a long line marked as such, and goes on when its daemon was started again', async () => {
  const path = join(dir, 'journal');
  const first = await datagramReceiver(path);
  const sink = openJournal(path, { 'labels-regex': '.' }, subject);
  await sink.connect();
  await sink.send(say('hello', { id: 'i', ordinal: 1, last: false }));
  const fields = (await first.next()).trimEnd().split('\n').sort();
  assert.deepEqual(fields, [
    'APP_NAME=x',
    'CONTAINER_ID=abcdef012345',
    'CONTAINER_ID_FULL=abcdef0123456789',
    'CONTAINER_NAME=web',
    'CONTAINER_PARTIAL_ID=i',
    'CONTAINER_PARTIAL_LAST=false',
    'CONTAINER_PARTIAL_MESSAGE=true',
    'CONTAINER_PARTIAL_ORDINAL=1',
    'CONTAINER_TAG=abcdef012345',
    'IMAGE_NAME=nginx',
    'MESSAGE=hello',
    'PRIORITY=6',
    'SYSLOG_IDENTIFIER=app',
  ]);
  await sink.send(say('y'.repeat(16_384)));
  assert.match(await first.next(), /^MESSAGE=y{16384}\n/m);
  await first.end();
  await rm(path);
  await assert.rejects(sink.send(say('lost')));
  const again = await datagramReceiver(path);
  await sink.send(say('back'));
  assert.match(await again.next(), /^MESSAGE=back\n/m);
  sink.close();
  await assert.rejects(sink.send(say('late')), /closed/);
  await again.end();
});

test('syslog over a unix datagram socket', async () => {
  const path = join(dir, 'log');
  const receiver = await datagramReceiver(path);
  const sink = syslog.open({ 'syslog-address': `unixgram://${path}`, tag: 't' }, subject);
  await sink.connect();
  await sink.send(say('hello'));
  assert.match(await receiver.next(), /^<30>.* t\[\d+\]: hello\n$/);
  sink.close();
  await receiver.end();
});

test('the syslog of the host is found where it is, and again when it has moved', async () => {
  const [first, second] = [join(dir, 'dev-log'), join(dir, 'run-log')];
  await assert.rejects(new LocalSyslog([first, second]).connect(), { message: 'Unix syslog delivery error' });
  const receiver = await datagramReceiver(second);
  const host = new LocalSyslog([first, second]);
  await host.connect();
  await host.send(Buffer.from('one'));
  assert.equal(await receiver.next(), 'one');
  await receiver.end();
  await rm(second);
  const got = Promise.withResolvers<string>();
  const stream = createStreamServer((socket) => void socket.on('data', (chunk) => got.resolve(String(chunk))));
  await once(stream.listen(first), 'listening');
  await host.send(Buffer.from('two'));
  assert.equal(await got.promise, 'two');
  host.close();
  await assert.rejects(host.send(Buffer.from('late')), /closed/);
  stream.close();
});

test('syslog over TLS: the authority counts, unless it is skipped; frames by length', async () => {
  const [key, cert] = [join(dir, 'key.pem'), join(dir, 'cert.pem')];
  const subjectName = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=IP:127.0.0.1'];
  const args = ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', '-keyout', key, '-out', cert];
  execFileSync('openssl', [...args, ...subjectName], { stdio: 'ignore' });
  let got = '';
  const server = createServer({ key: await readFile(key), cert: await readFile(cert) }, (socket) => {
    socket.on('data', (chunk) => (got += String(chunk))).on('error', () => {});
  });
  server.on('tlsClientError', () => {});
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const address = `tcp+tls://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const open = (more: Record<string, string>) =>
    syslog.open({ 'syslog-address': address, 'syslog-format': 'rfc5424', tag: 't', ...more }, subject);
  await assert.rejects(open({}).connect(), /x509: certificate signed by unknown authority/);
  for (const more of [{ 'syslog-tls-ca-cert': cert }, { 'syslog-tls-skip-verify': '1' }]) {
    const sink = open(more);
    got = '';
    await sink.send(say('hello'));
    while (!got.includes('hello')) await sleep(10);
    const [, length, text = ''] = /^(\d+) (.*\n)$/s.exec(got) ?? [];
    assert.equal(Number(length), text.length);
    sink.close();
  }
  server.close();
});
