import assert from 'node:assert/strict';
import { test } from 'node:test';
import { flagHelp } from './flag-help.ts';
import { bool, list, one, text } from './flag-spec.ts';
import { parseFlags } from './parse-flags.ts';
import { bytes, duration, filter, integer, nanoCpus } from './values.ts';

const specs = [
  bool('i, interactive', 'Keep STDIN open'),
  bool('t, tty', 'Allocate a pseudo-TTY'),
  list('e, env', 'Set environment variables'),
  one('m, memory', 'bytes', 'Memory limit', { parse: bytes }),
  text('name', 'Assign a name'),
  text('net', 'x', { aliasOf: 'name', hidden: true }),
];

test('the forms of pflag: bundled, attached, with =, repeated', () => {
  const flags = parseFlags(
    specs,
    ['-it', '-eA=1', '-e=B=2', '-e', 'C', '--env=D=4', '--name', 'x', '-m1g', 'image', '-x'],
    false,
  );
  assert.equal(flags.bool('interactive'), true);
  assert.equal(flags.bool('tty'), true);
  assert.deepEqual(flags.list('env'), ['A=1', 'B=2', 'C', 'D=4']);
  assert.equal(flags.text('name'), 'x');
  assert.equal(flags.value('memory'), 1024 ** 3);
  assert.deepEqual(flags.args, ['image', '-x']);
});

test('bundles may end with a flag that takes a value', () => {
  assert.deepEqual(parseFlags(specs, ['-iteA'], false).list('env'), ['A']);
  assert.deepEqual(parseFlags(specs, ['-ite', 'A'], false).list('env'), ['A']);
});

test('booleans can be switched off, aliases count for their flag', () => {
  const flags = parseFlags(specs, ['--tty=false', '-i=0', '--net', 'y'], true);
  assert.deepEqual([flags.bool('tty'), flags.bool('interactive'), flags.given('tty')], [false, false, true]);
  assert.equal(flags.text('name'), 'y');
});

test('flags may follow words only when interspersed; -- ends them', () => {
  assert.deepEqual(parseFlags(specs, ['a', '-t', 'b'], true).args, ['a', 'b']);
  assert.deepEqual(parseFlags(specs, ['a', '-t', 'b'], false).args, ['a', '-t', 'b']);
  assert.deepEqual(parseFlags(specs, ['-t', '--', '-i', 'b'], true).args, ['-i', 'b']);
  assert.deepEqual(parseFlags(specs, ['-'], true).args, ['-']);
});

test('errors are those of pflag', () => {
  const cases: [string[], string][] = [
    [['--nosuch'], 'unknown flag: --nosuch'],
    [['-iz'], "unknown shorthand flag: 'z' in -z"],
    [['--name'], 'flag needs an argument: --name'],
    [['-m'], "flag needs an argument: 'm' in -m"],
    [['-m', 'foo'], `invalid argument "foo" for "-m, --memory" flag: invalid size: 'foo'`],
    [['--tty=x'], 'invalid argument "x" for "-t, --tty" flag: strconv.ParseBool: parsing "x": invalid syntax'],
  ];
  for (const [words, message] of cases) assert.throws(() => parseFlags(specs, words, true), { message });
});

test('values: sizes, durations, CPUs, numbers, filters', () => {
  assert.deepEqual(['1', '1k', '1.5m', '2gb', '3KiB', '4 b'].map(bytes), [1, 1024, 1572864, 2 * 1024 ** 3, 3072, 4]);
  assert.deepEqual(['1s', '1m30s', '1.5h', '250ms', '0'].map(duration), [1e9, 90e9, 5400e9, 250e6, 0]);
  assert.throws(() => duration('1'), { message: 'time: missing unit in duration "1"' });
  assert.throws(() => duration('1y'), { message: 'time: unknown unit "y" in duration "1y"' });
  assert.equal(nanoCpus('1.5'), 1_500_000_000);
  assert.throws(() => nanoCpus('x'), { message: 'failed to parse x as a rational number' });
  assert.equal(integer('-1'), -1);
  assert.deepEqual(filter('Name = x'), { name: 'name', value: 'x' });
  assert.throws(() => filter('x'), { message: 'bad format of filter (expected name=value)' });
});

test('the help text is aligned and wrapped', () => {
  const help = flagHelp(specs, 50);
  assert.equal(
    help,
    [
      '  -e, --env list       Set environment variables',
      '  -i, --interactive    Keep STDIN open',
      '  -m, --memory bytes   Memory limit',
      '      --name string    Assign a name',
      '  -t, --tty            Allocate a pseudo-TTY',
      '',
    ].join('\n'),
  );
  const long = flagHelp([text('x', 'some words that will not fit into one line here')], 50);
  assert.equal(long, '      --x string   some words that will not\n                   fit into one line here\n');
});
