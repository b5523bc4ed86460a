import assert from 'node:assert/strict';
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { SYSCALL_NUMBERS } from '../../src/kernel/files/syscall-numbers.ts';
import { startDockerd } from '../support/dockerd.ts';
import { startGantry } from '../support/gantry.ts';
import { command, type Target } from '../support/target.ts';

// What a volume is filled with is compared with what dockerd makes of the same image, as archives that hold all there is to a file.

/** Everything a directory of an image can hold, and odd cases of each. */
const CONTENT = String.raw`
umask 0
attribute() { perl -e 'my ($f, $k, $v) = @ARGV; $v = pack("H*", $v); syscall(${SYSCALL_NUMBERS[process.arch === 'arm64' ? 'arm64' : 'x64'].lsetxattr}, $f, $k, $v, length $v, 0) == 0 or die "$f: $!"' "$@"; }
mkdir -m 3751 d; chown 11:22 d; cd d
echo a >plain; echo s >setuid; chmod 6755 setuid; echo n >none; chmod 0 none; chown 4294967294:65534 none
mkdir -m 1777 sticky; mkdir -m 0 closed; mkdir -m 2750 group; chown 7:8 group; mkdir -p deep/er/est
ln plain hard; ln plain deep/er/hard; ln -s plain link; ln -s /nowhere dangling; ln -s .. deep/up; chown -h 5:6 link; ln link hard-link
mkfifo -m 640 fifo; chown 9:9 fifo
mknod -m 660 char c 1 3; mknod -m 600 block b 7 200; chown 3:4 char
truncate -s 5M hole; printf end >>hole; printf start | dd of=middle bs=1 seek=3000000 status=none; truncate -s 6M middle; : >empty
attribute plain user.note 736f6d652074657874; attribute deep user.dir 00ff; attribute setuid trusted.note 74; attribute closed user.none ''
attribute none security.capability 0100000200200000000000000000000000000000
printf x >'with space'; printf x >"$(printf 'new\nline')"; printf x >"$(printf 'not\377utf8')"; printf x >-dash; printf x >.wh; printf x >"$(printf '%0255d' 0)"
for f in plain setuid hole .; do touch -h -d '2001-02-03 04:05:06.123456789 UTC' "$f"; done
touch -h -d '1999-12-31 23:59:59.5 UTC' link deep/er fifo char; touch -d '1960-01-01 UTC' empty; touch -d '2040-01-01 UTC' group
`;

const all = ['--xattrs', '--xattrs-include=*', '--numeric-owner', '--sort=name', '--format=posix'];

async function host(program: string, ...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await command(program, args);
  assert.equal(code, 0, stderr);
  return stdout;
}

/** Each file with all that is known of it, one a line, its extended attributes after it; then all of it as an archive. */
async function inventory(dir: string): Promise<string[]> {
  const archive = `tar -C ${dir} ${all.join(' ')} --pax-option=delete=atime,delete=ctime -c .`;
  const files = await host('sh', '-c', `${archive} | tar ${all.join(' ')} --full-time -tvvf -`);
  const links = await host('find', dir, '-printf', '%P %n\\0');
  const sum = await host('sh', '-c', `${archive} | sha256sum`);
  return [...files.split('\n'), ...links.split('\0').toSorted(), sum];
}

/** What dockerd loses: times before 1970 and those of directories, empty attributes, that two names are one symbolic link. */
function kept(lines: readonly string[]): string[] {
  const lost = / \.\/(empty|link|hard-link)( |$)|^(hard-)?link |user\.none$| {2}-\n$/u;
  return (
    lines
      .filter((line) => !lost.test(line))
      .map((line) => line.replace(/^(d[-\w]{9})[* ]+(\S+).* (\S+)$/u, '$1 $2 $3'))
      // tar makes the column of times as wide as the widest so far, and those of directories are not the same.
      .map((line) => line.replace(/ +\.\//u, ' ./'))
  );
}

async function filled(target: Target, archive: string): Promise<string> {
  const ok = async (...args: string[]) => {
    const { code, stdout, stderr } = await target.docker(args);
    assert.equal(code, 0, stderr);
    return stdout.trim();
  };
  await ok('import', archive, 'full');
  await ok('create', '-v', 'filled:/d', 'full', 'true');
  return ok('volume', 'inspect', '--format', '{{.Mountpoint}}', 'filled');
}

const stack = new AsyncDisposableStack();
let archive: string;
let dir: string;

before(async () => {
  dir = await mkdtemp(join(tmpdir(), 'gantry-full-'));
  stack.defer(() => rm(dir, { recursive: true }));
  await host('sh', '-ec', `cd ${dir}; mkdir made; cd made; ${CONTENT}`);
  archive = join(dir, 'full.tar');
  await host('tar', '-C', join(dir, 'made'), ...all, '--sparse', '-cf', archive, 'd');
});
after(() => stack.disposeAsync());

test('a volume is filled with all that the image has, as by dockerd', async () => {
  const gantry = stack.use(await startGantry());
  const dockerd = stack.use(await startDockerd());
  const [own, theirs] = [await filled(gantry, archive), await filled(dockerd, archive)];
  const image = await inventory(join(dir, 'made/d'));
  assert.ok(image.length > 50);
  assert.deepEqual(await inventory(own), image);
  assert.deepEqual(kept(await inventory(theirs)), kept(image));
  for (const name of ['hole', 'middle']) {
    const { blocks } = await stat(join(own, name));
    assert.ok(blocks < 100, `${name}: holes stay holes, and these are ${blocks} blocks`);
  }
});
