import assert from 'node:assert/strict';
import { test } from 'node:test';
import { containerPorts, parsePortRange, portKeys, portMap, portRequests } from './port-requests.ts';

const wanted = { portBindings: {}, publishAll: false, exposed: [] };

test('ports and ranges parse; what is neither is refused', () => {
  assert.deepEqual(parsePortRange('80'), { from: 80, to: 80 });
  assert.deepEqual(parsePortRange('8000-8010'), { from: 8000, to: 8010 });
  for (const text of ['', 'x', '10-9', '65536', '1-2-3', '-1']) assert.equal(parsePortRange(text), undefined, text);
  assert.deepEqual(containerPorts('80'), [{ port: 80, protocol: 'tcp' }]);
  assert.deepEqual(
    containerPorts('53-54/UDP').map(({ port }) => port),
    [53, 54],
  );
  for (const key of ['80/icmp', '/tcp', '80/tcp/x', '70000/tcp']) {
    assert.throws(() => containerPorts(key), { kind: 'invalid' }, key);
  }
});

test('an exposed port is only a key, until all are published', () => {
  const exposed = ['80/tcp', '90-91/udp'];
  assert.deepEqual(portRequests({ ...wanted, exposed }), []);
  assert.deepEqual(portKeys({ ...wanted, exposed }), ['80/tcp', '90/udp', '91/udp']);
  const all = portRequests({ ...wanted, exposed, publishAll: true });
  assert.deepEqual(
    all.map(({ containerPort, from }) => [containerPort, from]),
    [
      [80, 0],
      [90, 0],
      [91, 0],
    ],
  );
});

test('a binding wins over publish-all, an empty list of bindings does not', () => {
  const portBindings = { '80/tcp': [{ HostIp: '127.0.0.1', HostPort: '8080' }], '81/tcp': [] };
  const requests = portRequests({ portBindings, exposed: ['80/tcp', '81/tcp'], publishAll: true });
  assert.deepEqual(requests, [
    { protocol: 'tcp', containerPort: 80, hostIp: '127.0.0.1', from: 8080, to: 8080 },
    { protocol: 'tcp', containerPort: 81, hostIp: '', from: 0, to: 0 },
  ]);
});

const of = (HostIp: string, HostPort: string, key = '80/tcp') =>
  portRequests({ ...wanted, portBindings: { [key]: [{ HostIp, HostPort }] } });

test('several bindings of a port, ranges of host ports, and bad ones', () => {
  assert.deepEqual([of('', '8000-8010')[0]?.from, of('', '8000-8010')[0]?.to], [8000, 8010]);
  assert.deepEqual([of('', '0')[0]?.from, of('::1', '')[0]?.hostIp], [0, '::1']);
  assert.throws(() => of('', 'http'), { kind: 'invalid' });
  assert.throws(() => of('nowhere', '80'), { kind: 'invalid', message: 'invalid IP address: nowhere' });
  assert.throws(() => of('', '', '9/sctp'), { kind: 'unsupported' });
});

test('the map of the API lists what is published under every key', () => {
  const port = { protocol: 'tcp', containerPort: 80, hostPort: 8080 } as const;
  const published = [
    { ...port, hostIp: '0.0.0.0' },
    { ...port, hostIp: '::' },
  ];
  assert.deepEqual(portMap(['80/tcp', '90/udp'], published), {
    '80/tcp': [
      { HostIp: '0.0.0.0', HostPort: '8080' },
      { HostIp: '::', HostPort: '8080' },
    ],
    '90/udp': [],
  });
});
