import { join } from 'node:path';
import { internal, invalid, notFound, unavailable } from '../util/errors.ts';
import { run } from '../util/spawn.ts';
import { SYSCALL_NUMBERS } from './files/syscall-numbers.ts';

/** What the kernel may say of a path, as errno(3) numbers it. */
const [ENOENT, EXDEV, ENOTDIR, ENOSYS, ELOOP] = [2, 18, 20, 38, 40];

// In one call the kernel resolves the path and opens what it leads to, without ever leaving the directory: nobody can put a
// link in the way in between. What is mounted is what is open then. Perl, because Node has no word for these calls.
// Source: openat2(2), RESOLVE_BENEATH and RESOLVE_NO_MAGICLINKS; open_tree(2).
const MOUNT = String.raw`
my ($openat2, $open_tree, $move_mount, $root, $subpath, $place) = @ARGV;
sub fail { my $what = shift; print $! + 0, ' ', $what, ': ', lcfirst("$!"); exit 0 }
sysopen(my $dir, $root, 010000000) or fail("open $root");
my $how = pack('Q Q Q', 010000000 | 02000000, 0, 0x08 | 0x02);
my ($fd, $left) = (-1, 100);
# EAGAIN: something was renamed on the way.
do { $fd = syscall($openat2 + 0, fileno($dir), $subpath, $how, 24) } while ($fd < 0 && $! == 11 && --$left);
fail('openat2') if $fd < 0;
my $none = '';
my $tree = syscall($open_tree + 0, $fd, $none, 0x1000 | 1 | 02000000);
fail('open_tree') if $tree < 0;
if (-d "/proc/self/fd/$fd") { mkdir($place, 0700) or fail("mkdir $place") }
else { sysopen(my $file, $place, 0301, 0600) or fail("open $place") }
syscall($move_mount + 0, $tree, $none, -100, $place, 4) == 0 or fail("mount $place");
`;

/**
 * Mounts what is at a path beneath a directory at a place that is not there yet: it is made, a directory or a file. Links on the
 * way are followed as long as they lead nowhere else. What is mounted further down is left out.
 *
 * @param subpath relative and clean.
 * @throws `not-found`, `invalid` in Docker's words for a path that there is not, or that leaves the directory; `unavailable` on a
 * kernel older than 5.6.
 */
export async function mountBeneath(o: { root: string; subpath: string; place: string }): Promise<void> {
  const { openat2, open_tree, move_mount } = SYSCALL_NUMBERS[process.arch === 'arm64' ? 'arm64' : 'x64'];
  const numbers = [openat2, open_tree, move_mount].map(String);
  const { stdout } = await run('perl', ['-e', MOUNT, ...numbers, o.root, o.subpath, o.place]);
  if (stdout !== '') throw refusal(o, stdout);
}

function refusal({ root, subpath }: { root: string; subpath: string }, said: string): Error {
  const at = said.indexOf(' ');
  const code = Number(said.slice(0, at));
  const why = said.slice(at + 1);
  const path = JSON.stringify(join(root, subpath));
  if (code === EXDEV) {
    return invalid(
      `path concatenation escapes the base directory, base: ${JSON.stringify(root)}, subpath: "${subpath}"`,
    );
  }
  if (code === ENOENT || code === ENOTDIR || code === ELOOP) {
    return notFound(`cannot access path ${path}: ${why.replace('openat2:', `lstat ${join(root, subpath)}:`)}`);
  }
  if (code === ENOSYS) return unavailable(`a part of a volume can be mounted by a kernel of 5.6 or newer: ${why}`);
  return internal(`failed to mount resolved path ${path}: ${why}`);
}
