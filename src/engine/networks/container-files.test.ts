import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { containerFiles } from './container-files.ts';
import { hostsFile, parseExtraHost } from './hosts-file.ts';
import type { FilesRequest } from './networks.ts';
import { containerResolvConf, isStubOnly, parseResolvConf } from './resolv-conf.ts';

const LOCAL = `127.0.0.1\tlocalhost
::1\tlocalhost ip6-localhost ip6-loopback
fe00::0\tip6-localnet
ff00::0\tip6-mcastprefix
ff02::1\tip6-allnodes
ff02::2\tip6-allrouters
`;
const NOTHING = { nameservers: [], search: [], options: [] };

test('/etc/hosts is dockerd’s, byte for byte', () => {
  const plain = { extraHosts: [], hostGateway: '172.17.0.1', address: '172.17.0.2', hostname: 'h1', domainname: '' };
  assert.equal(hostsFile(plain), `${LOCAL}172.17.0.2\th1\n`);
  const full = { ...plain, domainname: 'dom.org', extraHosts: ['foo:1.2.3.4', 'gw:host-gateway', 'six:[::2]'] };
  assert.equal(hostsFile(full), `${LOCAL}1.2.3.4\tfoo\n172.17.0.1\tgw\n::2\tsix\n172.17.0.2\th1.dom.org h1\n`);
  assert.equal(hostsFile({ ...plain, hostname: 'h1.dom.org' }), `${LOCAL}172.17.0.2\th1.dom.org h1\n`);
  assert.equal(hostsFile({ ...plain, address: '' }), LOCAL);
});

test('an extra host needs a name and an address', () => {
  assert.deepEqual(parseExtraHost('a:::1', ''), { name: 'a', address: '::1' });
  assert.deepEqual(parseExtraHost('a=b:1.2.3.4', ''), { name: 'a=b', address: '1.2.3.4' });
  for (const text of ['a', 'a:', ':1.2.3.4', 'a:b', 'a=1.2.3.4']) {
    assert.throws(() => parseExtraHost(text, ''), { kind: 'invalid' }, text);
  }
});

test('the host’s resolv.conf passes unchanged but for servers out of reach', () => {
  const host = '# made by hand\nsearch a.org b.org\nnameserver 127.0.0.53\nnameserver 10.0.0.53\nnameserver fd00::1\n';
  const expected = '# made by hand\nsearch a.org b.org\nnameserver 10.0.0.53\n';
  assert.equal(containerResolvConf(host, NOTHING), expected);
  assert.equal(containerResolvConf('nameserver ::1', NOTHING), 'nameserver 8.8.8.8\nnameserver 8.8.4.4\n');
  assert.equal(containerResolvConf('', NOTHING), 'nameserver 8.8.8.8\nnameserver 8.8.4.4\n');
});

test('each part asked for replaces the host’s', () => {
  const host = 'search a.org\nnameserver 10.0.0.53\noptions edns0\n';
  const asked = { nameservers: ['9.9.9.9'], search: ['ex.com'], options: ['ndots:2'] };
  assert.equal(containerResolvConf(host, asked), 'search ex.com\nnameserver 9.9.9.9\noptions ndots:2\n');
  const some = { ...NOTHING, options: ['ndots:2', 'rotate'] };
  assert.equal(containerResolvConf(host, some), 'search a.org\nnameserver 10.0.0.53\noptions ndots:2 rotate\n');
  const noSearch = { ...NOTHING, search: ['.'] };
  assert.equal(containerResolvConf(host, noSearch), 'nameserver 10.0.0.53\noptions edns0\n');
});

test('comments, tabs and repeated lines are understood; the stub is recognised', () => {
  const text = 'nameserver\t1.1.1.1 # one\n; no\ndomain x\nsearch y z\noptions a b\noptions c\n';
  assert.deepEqual(parseResolvConf(text), { nameservers: ['1.1.1.1'], search: ['y', 'z'], options: ['a', 'b', 'c'] });
  assert.ok(isStubOnly('nameserver 127.0.0.53\noptions edns0\n'));
  assert.ok(!isStubOnly('nameserver 127.0.0.53\nnameserver 1.1.1.1\n'));
});

const request = (changes: Partial<FilesRequest>): FilesRequest => ({
  containerId: 'c',
  hostname: 'h',
  domainname: '',
  extraHosts: [],
  dns: [],
  dnsSearch: [],
  dnsOptions: [],
  sandbox: { netnsPath: undefined, key: '', endpoints: {}, ports: {} },
  ...changes,
});
const defaults = { dns: [], hostGateway: '10.0.0.1' };

test('on the host’s network the host’s own files are used until something is asked for', async () => {
  const plain = await containerFiles(request({}), defaults);
  assert.equal(plain.hosts, readFileSync('/etc/hosts', 'utf8'));
  assert.equal(plain.resolvConf, readFileSync('/etc/resolv.conf', 'utf8'));
  assert.equal(plain.hostname, 'h\n');
  const asked = await containerFiles(request({ extraHosts: ['a:1.1.1.1'], dns: ['9.9.9.9'] }), defaults);
  assert.equal(asked.hosts, `${LOCAL}1.1.1.1\ta\n`);
  assert.match(asked.resolvConf, /^nameserver 9\.9\.9\.9$/m);
});

test('the daemon’s resolvers stand in for a container’s', async () => {
  const sandbox = { netnsPath: '/run/netns/x', key: '', endpoints: {}, ports: {} };
  const own = await containerFiles(request({ sandbox, dns: ['9.9.9.9'] }), { ...defaults, dns: ['1.1.1.1'] });
  assert.ok(own.resolvConf.includes('9.9.9.9') && !own.resolvConf.includes('1.1.1.1'));
  const theirs = await containerFiles(request({ sandbox }), { ...defaults, dns: ['1.1.1.1'] });
  assert.ok(theirs.resolvConf.includes('nameserver 1.1.1.1\n'));
});
