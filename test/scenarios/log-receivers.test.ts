import assert from 'node:assert/strict';
import { hostname } from 'node:os';
import { after, before } from 'node:test';
import { onBoth } from '../support/both.ts';
import { eventually } from '../support/containers.ts';
import { type Journal, startJournal } from '../support/journal.ts';
import { logged, logOptions, NOT_EMPTY, plain, SCRIPT, TEXTS } from '../support/logged.ts';
import { type Rsyslog, startRsyslog } from '../support/rsyslog.ts';

// Real receivers take what the engines send, and say what they understood of it.

const stack = new AsyncDisposableStack();
let rsyslog: Rsyslog;
let journal: Journal;
before(async () => {
  rsyslog = stack.use(await startRsyslog());
  journal = stack.use(await startJournal());
});
after(() => stack.disposeAsync());

let tags = 0;

onBoth('real receivers', {
  'rsyslog understands every format over every transport': async (target) => {
    const { udp, tcp, tls, mutual, unixgram, cert, key } = rsyslog;
    const ca = { 'syslog-tls-ca-cert': cert };
    const own = { 'syslog-tls-cert': cert, 'syslog-tls-key': key };
    const cases: [address: string, format: string, more?: Record<string, string>][] = [
      [udp, ''],
      [udp, 'rfc3164'],
      [udp, 'rfc5424'],
      [udp, 'rfc5424micro'],
      [tcp, 'rfc3164'],
      [tcp, 'rfc5424'],
      [tls, 'rfc3164', { 'syslog-tls-skip-verify': 'true' }],
      [tls, 'rfc5424', ca],
      [mutual, 'rfc5424micro', { ...ca, ...own }],
      [unixgram, '', { 'syslog-facility': 'local3' }],
    ];
    await Promise.all(
      cases.map(async ([address, format, more = {}]) => {
        const tag = `t${++tags}`;
        const given = { 'syslog-address': address, 'syslog-format': format, tag, ...more };
        await using _c = await logged(target, 'syslog', given);
        const lines = await eventually(`${address} ${format}`, async () => {
          const found = await rsyslog.received(`${tag}[`);
          return found.length === NOT_EMPTY.length && found;
        });
        const facility = more['syslog-facility'] ?? 'daemon';
        // Old formats have a space in front of the text.
        const space = format.startsWith('rfc5424') ? '' : ' ';
        const expected = NOT_EMPTY.map((text) => `${facility}.${text === 'err' ? 'err' : 'info'}:${space}${text}`);
        assert.deepEqual(
          lines.map((line) => plain(line.split(' ').slice(2).join(' '))),
          expected,
          `${address} ${format}`,
        );
        const host = format === '' ? (lines[0]?.split(' ')[0] ?? '') : hostname();
        assert.ok(
          lines.every((line) => line.startsWith(`${host} `) && /^\S+ t\d+\[\d+\] /.test(line)),
          `${address} ${format}: ${lines[0]}`,
        );
      }),
    );
  },

  'a receiver whose certificate nobody vouches for fails the start': async (target) => {
    const given = logOptions({ 'syslog-address': rsyslog.tls });
    const id = (await target.docker(['create', '--log-driver', 'syslog', ...given, 'busybox', 'true'])).stdout.trim();
    const start = await target.api('POST', `/containers/${id}/start`);
    assert.equal(start.status, 500, start.text);
    const unknown = /^failed to initialize logging driver: x509: certificate signed by unknown authority/;
    assert.match(start.json<{ message: string }>().message, unknown);
    await target.docker(['rm', id]);
  },

  'the journal keeps the fields of each line, and the parts of long ones': async (target) => {
    const script = `${SCRIPT}; printf 'a\\377b\\n'; printf cut`;
    await using c = await logged(target, 'journald', { tag: '{{.Name}}!', 'labels-regex': '^a' }, script);
    const found = await eventually('all lines', async () => {
      const entries = await journal.entries('CONTAINER_ID_FULL', c.id);
      return entries.at(-1)?.['MESSAGE'] === 'cut' && entries;
    });
    const messages = found.map(({ MESSAGE: it }) =>
      plain(typeof it === 'string' ? it : Buffer.from(it ?? []).toString()),
    );
    assert.deepEqual(messages, [...TEXTS, 'a\ufffdb', 'cut']);
    const wanted = {
      A: '1',
      CONTAINER_ID: c.id.slice(0, 12),
      CONTAINER_ID_FULL: c.id,
      CONTAINER_NAME: c.name,
      CONTAINER_TAG: `${c.name}!`,
      E: '2',
      IMAGE_NAME: 'busybox',
      SYSLOG_IDENTIFIER: `${c.name}!`,
    };
    for (const [i, entry] of found.entries()) {
      const fields = Object.keys(wanted).map((name) => [name, entry[name]]);
      assert.deepEqual(Object.fromEntries(fields), wanted);
      assert.equal(entry['PRIORITY'], messages[i] === 'err' ? '3' : '6');
      assert.equal(
        entry['CONTAINER_PARTIAL_MESSAGE'],
        ['<16384>', 'cut'].includes(messages[i] ?? '') ? 'true' : undefined,
      );
    }
    const logs = async (...flags: string[]): Promise<string> =>
      plain((await target.docker(['logs', ...flags, c.name])).stdout);
    assert.equal(await logs('--tail', '1'), 'cut');
    assert.match(await logs('--details', '--tail', '2'), /^A=1,(\S*,)?E=2,IMAGE_NAME=busybox .*\n?.*cut$/);
    assert.match(await logs('-t', '--since', '1h', '--tail', '1'), /^\S+Z cut$/);
    assert.equal(await logs('--until', '1h'), '');
  },
});
