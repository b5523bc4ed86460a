import assert from 'node:assert/strict';
import { test } from 'node:test';
import { kindOf } from '../../util/errors.ts';
import { keptFiles, logLimits, validateLogConfig } from './log-config.ts';
import { logAttributes, parseTag } from './log-tag.ts';
import { parseSize } from './parse-size.ts';

const defaults = { Type: 'json-file', Config: { 'max-size': '1m' } };
const check = (Type: string, Config: Record<string, string> = {}) => validateLogConfig({ Type, Config }, defaults);

test('the defaults of the daemon complete a configuration of the same driver', () => {
  assert.deepEqual(check(''), { Type: 'json-file', Config: { 'max-size': '1m' } });
  assert.deepEqual(check('json-file', { 'max-file': '3' }).Config, { 'max-size': '1m', 'max-file': '3' });
  assert.deepEqual(check('local'), { Type: 'local', Config: {} });
  assert.deepEqual(validateLogConfig({ Type: '', Config: {} }, { Type: '', Config: {} }).Type, 'json-file');
  assert.deepEqual(check('none'), { Type: 'none', Config: {} });
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
  assert.throws(() => check('awslogs'), /the log driver 'awslogs' is not supported/);
});

test('mistakes are refused in words of Docker', () => {
  const prefix = 'failed to initialize logging driver: ';
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
    ['json-file', { 'max-size': 'foo' }, `${prefix}invalid size: 'foo'`],
    ['json-file', { 'max-size': '0' }, `${prefix}max-size must be a positive number`],
    ['json-file', { 'max-file': '0' }, `${prefix}max-file cannot be less than 1`],
    ['json-file', { 'max-file': 'x' }, `${prefix}strconv.Atoi: parsing "x": invalid syntax`],
    ['json-file', { compress: 'z' }, `${prefix}strconv.ParseBool: parsing "z": invalid syntax`],
    [
      'json-file',
      { compress: 'true' },
      `${prefix}compress cannot be true when max-file is less than 2 or max-size is not set`,
    ],
    ['local', { 'max-file': '1' }, `${prefix}compression cannot be enabled when max file count is 1`],
    ['json-file', { tag: '{{.ID' }, `${prefix}template: log-tag:1: unclosed action`],
  ];
  for (const [driver, options, message] of cases) {
    assert.throws(
      () => check(driver, options),
      (error: Error) => error.message === message && kindOf(error) === 'invalid',
      message,
    );
  }
  assert.throws(
    () => check('json-file', { 'labels-regex': '(' }),
    /failed to initialize logging driver: error parsing regexp/,
  );
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
};

test('attributes: labels and environment by name and pattern, and the tag', () => {
  assert.deepEqual(logAttributes({}, subject), {});
  assert.deepEqual(
    logAttributes(
      { labels: 'tier,none', 'labels-regex': '^app\\.', env: 'MODE,FLAG', tag: '{{.Name}}/{{ .ID }}-{{.ImageID}}' },
      subject,
    ),
    { tier: 'front', 'app.name': 'x', MODE: 'a=b', tag: 'web/abcdef012345-feedfeedfeed' },
  );
  assert.deepEqual(logAttributes({ 'env-regex': 'PA' }, subject), { PATH: '/bin' });
  assert.deepEqual(logAttributes({ tag: 'plain {{.Command}}' }, subject), { tag: 'plain nginx -g' });
});

test('fields that are none are refused', () => {
  assert.throws(() => parseTag('{{.Foo}}'), /can't evaluate field Foo in type \*logger\.Info/);
  assert.throws(() => parseTag('{{json .}}'), /only fields such as/);
  assert.throws(() => parseTag('{{.toString}}'), /can't evaluate field toString/);
});
