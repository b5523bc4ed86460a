import assert from 'node:assert/strict';
import { test } from 'node:test';
import { displayPorts } from './display-ports.ts';
import { indentJson } from './indent-json.ts';
import { printRows, type RowKind } from './print-rows.ts';
import { alignTabs, DOCKER_TABS } from './tab-table.ts';
import { bytesSize, ellipsis, humanDuration, humanSize } from './units.ts';

test('sizes', () => {
  assert.deepEqual(
    [0, 999, 1000, 1_984_000, 1e12].map((n) => humanSize(n)),
    ['0B', '999B', '1kB', '1.98MB', '1TB'],
  );
  assert.equal(humanSize(1_984_000, 4), '1.984MB');
  assert.equal(bytesSize(25_276_000_000), '23.54GiB');
});

test('spans of time', () => {
  const seconds = [0, 1, 59, 60, 119, 120, 3599, 3600, 7200, 86_400, 172_800, 1_209_600, 5_184_000, 63_072_000];
  assert.deepEqual(
    seconds.map((s) => humanDuration(s * 1000)),
    [
      'Less than a second',
      '1 second',
      '59 seconds',
      'About a minute',
      'About a minute',
      '2 minutes',
      '59 minutes',
      'About an hour',
      '2 hours',
      '24 hours',
      '2 days',
      '2 weeks',
      '2 months',
      '2 years',
    ],
  );
});

test('columns are as wide as their widest cell, runs of lines on their own', () => {
  assert.equal(alignTabs('A\tB\nlonger text\tx\n', DOCKER_TABS), 'A             B\nlonger text   x\n');
  assert.equal(alignTabs('a\tb\nplain\nc\td\n', { minWidth: 2, padding: 1 }), 'a b\nplain\nc d\n');
});

test('text is cut to a width', () => {
  assert.equal(ellipsis('abcdef', 4), 'abc…');
  assert.equal(ellipsis('abcd', 4), 'abcd');
});

test('ports are joined into ranges, mapped ones stand alone', () => {
  const ports = [
    { IP: '0.0.0.0', PrivatePort: 80, PublicPort: 8081, Type: 'tcp' },
    { PrivatePort: 7, Type: 'tcp' },
    ...[9000, 9001, 9002].map((port) => ({ IP: '::', PrivatePort: port, PublicPort: port, Type: 'tcp' })),
  ];
  assert.equal(displayPorts(ports), '7/tcp, [::]:9000-9002->9000-9002/tcp, 0.0.0.0:8081->80/tcp');
});

test('JSON is indented without touching its tokens', () => {
  assert.equal(
    indentJson('[{"a":1e5,"b":"\\u003c{","c":{},"d":[]}]'),
    '[\n    {\n        "a": 1e5,\n        "b": "\\u003c{",\n        "c": {},\n        "d": []\n    }\n]',
  );
});

const kind: RowKind<{ id: string; name: string }> = {
  goType: '*x.Context',
  fields: { Name: (r) => r.name, ID: (r) => r.id },
  methods: { Label: (r) => (key) => `${r.id}-${String(key)}` },
  headers: { ID: 'THE ID', Name: 'NAME' },
};
const rows = [{ id: '1', name: '<a>' }];

test('rows as table, template and JSON', () => {
  const table = '{{.ID}}\t{{.Name}}';
  assert.equal(printRows(kind, rows, '', table), 'THE ID    NAME\n1         <a>\n');
  assert.equal(printRows(kind, rows, 'table {{upper .Name}}\\t{{.Label "x"}}', table), 'NAME      x\n<A>       1-x\n');
  assert.equal(printRows(kind, rows, '{{.ID}}:{{.Name}}', table), '1:<a>\n');
  assert.equal(printRows(kind, rows, 'json', table), '{"ID":"1","Name":"\\u003ca\\u003e"}\n');
  assert.throws(() => printRows(kind, rows, '{{.Foo}}', table), /can't evaluate field Foo in type \*x\.Context/);
});
