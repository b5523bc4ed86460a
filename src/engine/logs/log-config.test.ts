import assert from 'node:assert/strict';
import { hostname } from 'node:os';
import { test } from 'node:test';
import { kindOf } from '../../util/errors.ts';
import { checkKeptFiles, keptFiles, validateLogConfig } from './log-config.ts';
import { logLimits } from './log-limits.ts';
import { tagOf } from './log-tag.ts';
import { parseSize } from './parse-size.ts';
import { recordAttributes } from './record-attributes.ts';

const defaults = { Type: 'json-file', Config: { 'max-size': '1m' } };
const check = (Type: string, Config: Record<string, string> = {}) => validateLogConfig({ Type, Config }, defaults);

test('the defaults of the daemon complete a configuration of the same driver', () => {
  assert.deepEqual(check(''), { Type: 'json-file', Config: { 'max-size': '1m' } });
  assert.deepEqual(check('json-file', { 'max-file': '3' }).Config, { 'max-size': '1m', 'max-file': '3' });
  assert.deepEqual(check('local'), { Type: 'local', Config: {} });
  assert.deepEqual(validateLogConfig({ Type: '', Config: {} }, { Type: '', Config: {} }).Type, 'json-file');
  assert.deepEqual(check('none'), { Type: 'none', Config: {} });
  const cached = { Type: 'syslog', Config: { tag: 'x', 'cache-max-size': '1m' } };
  assert.deepEqual(validateLogConfig({ Type: 'local', Config: {} }, cached).Config, { 'cache-max-size': '1m' });
  assert.deepEqual(validateLogConfig({ Type: '', Config: { tag: 'y' } }, cached).Config, {
    tag: 'y',
    'cache-max-size': '1m',
  });
});

test('limits: what was asked for, else a bound that no disk minds', () => {
  assert.deepEqual(logLimits({ Type: 'json-file', Config: {} }), { maxSize: 100e6, maxFiles: 5, compress: false });
  assert.deepEqual(logLimits({ Type: 'json-file', Config: { 'max-size': '10m' } }), {
    maxSize: 10e6,
    maxFiles: 1,
    compress: false,
  });
  assert.deepEqual(logLimits({ Type: 'local', Config: {} }), { maxSize: 20e6, maxFiles: 5, compress: true });
  const asked = { 'max-size': '2k', 'max-file': '2', compress: 'true' };
  assert.deepEqual(logLimits({ Type: 'json-file', Config: asked }), { maxSize: 2000, maxFiles: 2, compress: true });
  const none = { 'max-size': '0', 'max-file': '0', compress: 'false' };
  assert.deepEqual(logLimits({ Type: 'local', Config: none }), { maxSize: 1, maxFiles: 1, compress: false });
});

test('sizes', () => {
  assert.equal(parseSize('10m', 1000), 10e6);
  assert.equal(parseSize('1.5GB', 1000), 1.5e9);
  assert.equal(parseSize('1 kib', 1024), 1024);
  assert.equal(parseSize('42', 1000), 42);
  for (const bad of ['', 'foo', '-1', '1x', '1..5'])
    assert.throws(() => parseSize(bad, 1000), { message: `invalid size: '${bad}'` });
});

test('a log that is sent away is kept in a cache, unless that is not wanted', () => {
  const kept = (Config: Record<string, string>) => keptFiles(check('syslog', Config));
  assert.deepEqual(kept({}), { Type: 'local', Config: {} });
  assert.deepEqual(kept({ 'cache-max-size': '1m', 'cache-compress': 'false' }).Config, {
    'max-size': '1m',
    compress: 'false',
  });
  assert.equal(kept({ 'cache-disabled': 'true' }).Type, 'none');
  assert.deepEqual(logLimits(kept({ 'cache-max-file': '1' })), { maxSize: 20e6, maxFiles: 1, compress: false });
  for (const driver of ['awslogs', 'gcplogs', 'logentries', 'splunk']) {
    assert.throws(() => check(driver), {
      kind: 'unsupported',
      message: `the log driver '${driver}' is not supported by Gantry`,
    });
  }
});

test('mistakes that Docker finds at create are refused in its words', () => {
  const cases: [string, Record<string, string>, string][] = [
    ['foo', {}, 'error looking up logging plugin foo: plugin "foo" not found'],
    ['syslog', { x: 'y' }, "unknown log opt 'x' for syslog log driver"],
    ['syslog', { 'cache-disabled': 'x' }, 'invalid value for option cache-disabled: x'],
    [
      'json-file',
      { mode: 'non-blocking', 'max-buffer-size': 'x' },
      "error parsing option max-buffer-size: invalid size: 'x'",
    ],
    ['json-file', { x: 'y' }, "unknown log opt 'x' for json-file log driver"],
    ['local', { labels: 'y' }, "unknown log opt 'labels' for log driver local"],
    ['json-file', { mode: 'foo' }, 'logger: logging mode not supported: foo'],
    [
      'json-file',
      { 'max-buffer-size': '1m' },
      "logger: max-buffer-size option is only supported with 'mode=non-blocking'",
    ],
  ];
  for (const [driver, options, message] of cases) {
    assert.throws(
      () => check(driver, options),
      (error: Error) => error.message === message && kindOf(error) === 'invalid',
      message,
    );
  }
});

test('mistakes that Docker finds at the start are refused then', () => {
  const cases: [string, Record<string, string>, string][] = [
    ['json-file', { 'max-size': 'foo' }, "invalid size: 'foo'"],
    ['json-file', { 'max-size': '0' }, 'max-size must be a positive number'],
    ['json-file', { 'max-file': '0' }, 'max-file cannot be less than 1'],
    ['json-file', { 'max-file': 'x' }, 'strconv.Atoi: parsing "x": invalid syntax'],
    ['json-file', { compress: '' }, 'strconv.ParseBool: parsing "": invalid syntax'],
    ['json-file', { compress: 'true' }, 'compress cannot be true when max-file is less than 2 or max-size is not set'],
    ['json-file', { tag: '{{.ID' }, 'template: log-tag:1: unclosed action'],
    ['json-file', { 'env-regex': '(' }, 'error parsing regexp: missing closing ): `(`'],
    ['local', { 'max-size': '-1' }, "invalid value for max-size: -1: invalid size: '-1'"],
    ['local', { 'max-file': 'x' }, 'invalid value for max-file: x: strconv.Atoi: parsing "x": invalid syntax'],
    ['local', { 'max-file': '-1' }, 'max file count cannot be less than 0'],
    ['local', { 'max-file': '0' }, 'compression cannot be enabled when max file count is 1'],
    ['local', { compress: 'x' }, 'error reading compress log option: strconv.ParseBool: parsing "x": invalid syntax'],
    ['syslog', { 'cache-max-size': 'x' }, "invalid value for max-size: x: invalid size: 'x'"],
  ];
  for (const [driver, options, message] of cases) {
    const config = check(driver, options);
    assert.throws(() => checkKeptFiles(config, subject), { message }, message);
  }
  assert.doesNotThrow(() => checkKeptFiles(check('syslog', { 'labels-regex': '(' }), subject));
});

test('every driver may be told not to hold its container up', () => {
  const asked = { mode: 'non-blocking', 'max-buffer-size': '1m' };
  assert.deepEqual(check('local', asked).Config, asked);
});

const subject = {
  id: 'abcdef0123456789',
  name: 'web',
  imageId: 'sha256:feedfeedfeedfeed',
  imageName: 'nginx',
  created: '2026-01-02T03:04:05.000000006Z',
  command: ['nginx', '-g'],
  labels: { tier: 'front', 'app.name': 'x', other: 'y' },
  env: ['PATH=/bin', 'MODE=a=b', 'FLAG'],
  path: '/log',
};

test('attributes: labels and environment by name and pattern, and the tag', () => {
  const attributes = (Config: Record<string, string>, Type = 'json-file') =>
    recordAttributes({ Type, Config }, subject);
  assert.deepEqual(attributes({}), {});
  assert.deepEqual(
    attributes({ labels: 'tier,none', 'labels-regex': '(?i)^APP\\.', env: 'MODE,FLAG', tag: '{{.Name}}/{{ .ID }}' }),
    { tier: 'front', 'app.name': 'x', MODE: 'a=b', tag: 'web/abcdef012345' },
  );
  assert.deepEqual(attributes({ 'env-regex': 'PA' }), { PATH: '/bin' });
  assert.deepEqual(attributes({ labels: 'tier', tag: 'x' }, 'local'), {});
});

test('tags are templates of Go', () => {
  const cases: [template: string, tag: string][] = [
    ['plain {{.Command}}', 'plain nginx -g'],
    ['{{.ID}} {{.FullID}} {{.ContainerID}}', 'abcdef012345 abcdef0123456789 abcdef0123456789'],
    ['{{.Name}} {{.ContainerName}} {{.DaemonName}}', 'web /web docker'],
    ['{{.ImageName}} {{.ImageID}} {{.ImageFullID}}', 'nginx sha256:feedf sha256:feedfeedfeedfeed'],
    ['{{.ContainerEntrypoint}} {{.ContainerArgs}} {{.LogPath}}', 'nginx [-g] /log'],
    ['{{.ContainerCreated}}', '2026-01-02 03:04:05.000000006 +0000 UTC'],
    ['{{.Name | upper}} {{index .ContainerLabels "tier"}}', 'WEB front'],
    ['{{(.ExtraAttributes nil).tier}} {{(.ExtraAttributes nil).none}}', 'front <no value>'],
    ['{{range .ContainerEnv}}{{.}};{{end}}', 'PATH=/bin;MODE=a=b;FLAG;'],
    ['{{.Hostname}}', hostname()],
  ];
  for (const [tag, expected] of cases) assert.equal(tagOf({ tag, labels: 'tier' }, subject), expected, tag);
  assert.equal(tagOf({}, subject), 'abcdef012345');
});

test('a template that is none is refused in words of Docker', () => {
  const at = (where: string) => `template: log-tag:1:2: executing "log-tag" at <${where}>: `;
  const cases: [template: string, fault: string][] = [
    ['{{foo}}', 'template: log-tag:1: function "foo" not defined'],
    ['{{.Foo}}', `${at('.Foo')}can't evaluate field Foo in type *logger.Info`],
    ['{{.toString}}', `${at('.toString')}can't evaluate field toString in type *logger.Info`],
    ['{{.ExtraAttributes}}', `${at('.ExtraAttributes')}wrong number of args for ExtraAttributes: want 1 got 0`],
  ];
  for (const [tag, message] of cases) assert.throws(() => tagOf({ tag }, subject), { message }, tag);
});
