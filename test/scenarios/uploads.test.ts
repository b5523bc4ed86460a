import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { archiveOf, inPieces, type Member } from '../../src/util/tar/tar-fixture.ts';
import { TarReader } from '../../src/util/tar/tar-reader.ts';
import { onBoth } from '../support/both.ts';
import { create, type Made } from '../support/containers.ts';
import { command, type Target } from '../support/target.ts';

// What archives do to a container, in whatever state it is.

const through = (tool: string, data: Buffer): Buffer => execFileSync(tool, ['-c'], { input: data });
const tar = (...members: Member[]): Buffer => archiveOf(members);
const PLAIN = tar({ name: 'z/a', data: 'hello'.repeat(1000) }, { name: 'z/b', data: 'x' });
const HALF = tar({ name: 'half', data: 'hello'.repeat(1000) });
const FILE = tar({ name: 'x', data: 'x' });
const KEEP = '&noOverwriteDirNonDir=1';

/** Sent to a path: what dockerd answers, and where Gantry answers otherwise, that. */
interface Upload {
  readonly path: string;
  readonly query?: string;
  readonly body: Buffer;
  readonly status: number;
  readonly says?: RegExp;
  readonly gantry?: number;
}

const UPLOADS: Readonly<Record<string, Upload>> = {
  plain: { path: '/tmp', body: PLAIN, status: 200 },
  gzip: { path: '/tmp', body: gzipSync(PLAIN), status: 200 },
  bzip2: { path: '/tmp', body: through('bzip2', PLAIN), status: 200 },
  xz: { path: '/tmp', body: through('xz', PLAIN), status: 200 },
  // Newer dockerds know it, too.
  zstd: { path: '/tmp', body: zstdCompressSync(PLAIN), status: 500, gantry: 200 },
  nothing: { path: '/tmp', body: Buffer.alloc(0), status: 200 },
  'no member': { path: '/tmp', body: Buffer.alloc(1024), status: 200 },
  'half a member': { path: '/tmp', body: HALF.subarray(0, 3000), status: 500, gantry: 400, says: /unexpected EOF/ },
  garbage: { path: '/tmp', body: Buffer.alloc(2000, 'junk'), status: 500, gantry: 400, says: /invalid tar header/ },
  'half of a gzip': {
    path: '/tmp',
    body: gzipSync(HALF).subarray(0, 40),
    status: 500,
    gantry: 400,
    says: /unexpected (?:EOF|end)/,
  },
  'no path': { path: '', body: FILE, status: 400, says: /cannot be empty/ },
  'to a file': { path: '/etc/passwd', body: FILE, status: 500 },
  'to nothing': { path: '/nope/x', body: FILE, status: 404, says: /Could not find the file \/nope\/x in container / },
  'through a link': { path: '/lead', body: tar({ name: 'led', data: 'x' }), status: 200 },
  'read-only': { path: '/ro', body: FILE, status: 500, gantry: 403, says: /^mounted volume is marked read-only$/ },
  'below read-only': {
    path: '/ro/sub',
    body: FILE,
    status: 500,
    gantry: 403,
    says: /^mounted volume is marked read-only$/,
  },
  'a volume': { path: '/vol', body: FILE, status: 200 },
  'a file for a directory': {
    path: '/k',
    query: KEEP,
    body: tar({ name: 'dir', data: 'x' }),
    status: 500,
    says: /cannot overwrite directory "\/k\/dir" with non-directory "\/k"$/,
  },
  'a link for a directory': {
    path: '/k',
    query: KEEP,
    body: tar({ name: 'dir', type: 'symlink', linkName: 'x' }),
    status: 500,
    says: /cannot overwrite directory/,
  },
  'a directory for a file': {
    path: '/k',
    query: KEEP,
    body: tar({ name: 'file', type: 'directory' }),
    status: 500,
    says: /cannot overwrite non-directory "\/k\/file" with directory "\/k"$/,
  },
  'a directory for a link to one': {
    path: '/k',
    query: KEEP,
    body: tar({ name: 'link', type: 'directory' }),
    status: 500,
    says: /cannot overwrite non-directory/,
  },
  'a link for a link': {
    path: '/k',
    query: KEEP,
    body: tar({ name: 'link', type: 'symlink', linkName: 'y' }),
    status: 200,
  },
  'through a link inside': { path: '/k', body: tar({ name: 'inner/x', data: 'x' }), status: 200 },
  above: {
    path: '/tmp',
    body: tar({ name: '../up', data: 'x' }),
    status: 500,
    gantry: 400,
    says: /"\.\.\/up" is outside of /,
  },
  'above on the way': {
    path: '/tmp',
    body: tar({ name: 'a/../../up', data: 'x' }),
    status: 500,
    gantry: 400,
    says: /is outside of /,
  },
  'an absolute name': { path: '/tmp', body: tar({ name: '/absolute/x', data: 'x' }), status: 200 },
  'a link to above': {
    path: '/tmp',
    body: tar({ name: 'lup', type: 'symlink', linkName: '../../etc' }),
    status: 500,
    gantry: 200,
  },
  'a hard link to above': {
    path: '/tmp',
    body: tar({ name: 'hup', type: 'link', linkName: '../etc/passwd' }),
    status: 500,
    gantry: 400,
  },
  'a hard link from the root': {
    path: '/tmp',
    body: tar({ name: 'habs', type: 'link', linkName: '/etc/passwd' }),
    status: 500,
    says: /no such file or directory$/,
  },
  'a hard link to nothing': {
    path: '/tmp',
    body: tar({ name: 'hnone', type: 'link', linkName: 'nope' }),
    status: 500,
    says: /no such file or directory$/,
  },
  devices: {
    path: '/tmp',
    body: tar(
      { name: 'null', type: 'char', devMajor: 1, devMinor: 3 },
      { name: 'disk', type: 'block', devMajor: 8 },
      { name: 'fifo', type: 'fifo' },
    ),
    status: 200,
  },
  'names of whiteouts': {
    path: '/tmp',
    body: tar({ name: '.wh.z', data: '' }, { name: 'q/.wh..wh..opq', data: '' }),
    status: 200,
  },
  'a long name': { path: '/tmp', body: tar({ name: 'n'.repeat(255), data: 'x' }), status: 200 },
  'too long a name': {
    path: '/tmp',
    body: tar({ name: 'n'.repeat(256), data: 'x' }),
    status: 500,
    says: /file name too long$/,
  },
  'a deep path': {
    path: '/tmp',
    body: tar({ name: 'deep/'.repeat(300), type: 'directory', mode: 0o755 }),
    status: 200,
  },
  'the directory itself': {
    path: '/tmp',
    body: tar({ name: '.', type: 'directory', mode: 0o700 }, { name: '/', type: 'directory', mode: 0o700 }),
    status: 200,
  },
  'large ids': { path: '/tmp', body: tar({ name: 'ids', data: 'x', uid: 2 ** 31, gid: 2 ** 32 - 2 }), status: 200 },
  // dockerd cuts the number off, which may come out as root.
  'too large an id': {
    path: '/tmp',
    body: tar({ name: 'cut', data: 'x', uid: 2 ** 32 }),
    status: 200,
    gantry: 400,
    says: /lchown cut: invalid argument/,
  },
  'a directory’s own time': {
    path: '/tmp',
    body: tar({ name: 'dd', type: 'directory', mode: 0o500, uid: 3 }, { name: 'dd/f', data: 'x' }),
    status: 200,
  },
  'an unknown type': {
    path: '/tmp',
    body: unknownType(),
    status: 500,
    gantry: 400,
    says: /unhandled tar header type 86/,
  },
};

/** Tried in every state; the rest only while it runs. */
const SAMPLE: readonly string[] = [
  'gzip',
  'to nothing',
  'through a link',
  'read-only',
  'a volume',
  'a directory for a file',
  'through a link inside',
];

/** A member of a type that stands for a volume's label. */
function unknownType(): Buffer {
  const bytes = tar({ name: 'label', data: '' });
  bytes.write('V', 156);
  bytes.fill(' ', 148, 156);
  const sum = bytes.subarray(0, 512).reduce((total, byte) => total + byte, 0);
  bytes.write(`${sum.toString(8).padStart(6, '0')}\0`, 148);
  return bytes;
}

/** What comes of it below /tmp, but for the long ones. */
const MADE = [
  'file z/a 644 0:0',
  'file led 644 0:0',
  'file ids 644 2147483648:4294967294',
  'directory absolute 755 0:0',
  'char null 644 0:0',
  'block disk 644 0:0',
  'fifo fifo 644 0:0',
  'file .wh.z 644 0:0',
  'directory dd 500 3:0 1600000000',
];

async function send(
  target: Target,
  c: Made,
  { path, query = '', body }: Upload,
): Promise<{ status: number; message: string }> {
  const url = `http://x${c.path}/archive?path=${encodeURIComponent(path)}${query}`;
  const words = [
    '-s',
    '-w',
    '\n%{http_code}',
    '-X',
    'PUT',
    '--data-binary',
    '@-',
    '-H',
    'Content-Type: application/x-tar',
  ];
  const { stdout } = await command('curl', [...words, '--unix-socket', target.socket, url], { input: body });
  const [, text = '', status] = /^([^]*)\n(\d+)$/.exec(stdout) ?? [];
  return { status: Number(status), message: text === '' ? '' : (JSON.parse(text) as { message: string }).message };
}

async function below(target: Target, c: Made, path: string): Promise<string[]> {
  const url = `http://x${c.path}/archive?path=${path}`;
  const args = ['-s', '--unix-socket', target.socket, url];
  const reader = new TarReader(inPieces(execFileSync('curl', args, { maxBuffer: 1 << 26 }), 1 << 16));
  const found: string[] = [];
  for (let entry = await reader.next(); entry !== undefined; entry = await reader.next()) {
    const { type, name, mode, uid, gid, mtime } = entry;
    const short = name.replace(/^tmp\//, '').replace(/\/$/, '');
    const time = short === 'dd' ? ` ${mtime.seconds}` : '';
    found.push(`${type} ${short} ${(mode & 0o7777).toString(8)} ${uid}:${gid}${time}`);
  }
  return found;
}

onBoth('uploads', {
  'do what they are to, and are refused, in every state': async (target) => {
    const dir = await mkdtemp(join(tmpdir(), 'uploads-'));
    try {
      execFileSync('mkdir', [join(dir, 'sub')]);
      const states: readonly [string, (c: Made) => Promise<unknown>][] = [
        ['new', async () => {}],
        ['running', (c) => c.start()],
        ['paused', async (c) => (await c.start(), target.api('POST', `${c.path}/pause`))],
        ['stopped', async (c) => (await c.start(), await target.api('POST', `${c.path}/kill`), c.wait())],
      ];
      for (const [state, enter] of states) {
        await using c = await create(target, 'exec sleep 1000', { HostConfig: { Binds: [`${dir}:/ro:ro`, '/vol'] } });
        const setUp = tar(
          { name: 'lead', type: 'symlink', linkName: 'tmp' },
          { name: 'k/dir', type: 'directory', mode: 0o755 },
          { name: 'k/file', data: 'x' },
          { name: 'k/link', type: 'symlink', linkName: 'dir' },
          { name: 'k/inner', type: 'symlink', linkName: 'dir' },
        );
        assert.equal((await send(target, c, { path: '/', body: setUp, status: 200 })).status, 200);
        await enter(c);
        const uploads = Object.entries(UPLOADS).filter(([name]) => state === 'running' || SAMPLE.includes(name));
        for (const [name, upload] of uploads) {
          const { status, message } = await send(target, c, upload);
          const wanted = target.name === 'gantry' ? (upload.gantry ?? upload.status) : upload.status;
          assert.equal(status, wanted, `${state}, ${name}: ${message}`);
          if (status >= 400 && upload.says !== undefined) assert.match(message, upload.says, `${state}, ${name}`);
        }
        const made = await below(target, c, '/tmp');
        for (const line of state === 'running' ? MADE : MADE.slice(0, 2))
          assert.ok(made.includes(line), `${state}: ${line} in ${made.join()}`);
        assert.ok(!made.some((line) => /^\w+ (?:up|hup|habs|hnone) /.test(line)), `${state}: nothing refused was made`);
        assert.deepEqual(await below(target, c, '/k/dir/x'), ['file x 644 0:0'], state);
      }
    } finally {
      await rm(dir, { recursive: true });
    }
  },
});
