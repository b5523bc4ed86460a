import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { command } from './target.ts';

/** How the files of a test's own file system answer who reads them: with EIO, or never. */
export type Reading = 'fails' | 'hangs';

/**
 * The protocol of `include/uapi/linux/fuse.h`, as far as looking up, opening and reading takes it. The directory has the files `small`
 * (4 KiB) and `large` (4 MiB); `large1` and so on are others.
 */
const SERVER = String.raw`
my ($dir, $reading, $mount) = @ARGV; $| = 1;
sysopen(my $fuse, '/dev/fuse', 2) or die "open: $!"; my ($source, $type) = ('test', 'fuse');
my $options = 'fd=' . fileno($fuse) . ',rootmode=40000,user_id=0,group_id=0,allow_other';
syscall($mount + 0, $source, $dir, $type, 0, $options) == 0 or die "mount: $!"; print "ready\n";
my %file = (small => [2, 4096], large => [3, 4 << 20]); my %size = map { @$_ } values %file;
sub attr { my $id = shift; my $size = $size{$id} || ($id > 3 ? 4 << 20 : 0);
  return pack('Q6 L10', $id, $size, $size / 512, 0, 0, 0, 0, 0, 0, $id == 1 ? 040755 : 0100644, 1, 0, 0, 0, 4096, 0) }
my %answer = (
  26 => sub { pack('L4 S2 L2 S2 L8', 7, 31, 65536, 0, 16, 12, 65536, 1, 16, 0, (0) x 8) },
  3 => sub { pack('Q L2', 0, 0, 0) . attr($_[0]) },
  1 => sub { my $name = unpack 'Z*', $_[1];
    my $id = $name =~ /^large(\d+)$/ ? 3 + $1 : $file{$name} ? $file{$name}[0] : return undef; return pack('Q4 L2', $id, 0, 0, 0, 0, 0) . attr($id) },
  14 => sub { pack('Q L2', 0, 0, 0) }, 27 => sub { pack('Q L2', 0, 0, 0) }, 18 => sub { '' }, 29 => sub { '' },
  28 => sub { return '' if unpack('x8 Q', $_[1]); my $at = 0;
    return join '', map { pack('Q2 L2 a8', $file{$_}[0], ++$at, length, 8, $_) } sort keys %file });
while (sysread($fuse, my $in, 1 << 20)) {
  my ($op, $unique, $node) = unpack('x4 L Q Q', $in); next if $op == 2 || $op == 42 || $op == 36 || ($op == 15 && $reading eq 'hangs');
  my $body = $answer{$op} ? $answer{$op}->($node, substr($in, 40)) : ''; my $error = $op == 15 ? -5 : !$answer{$op} ? -38 : defined $body ? 0 : -2;
  $body = '' if $error; syswrite($fuse, pack('L l Q', 16 + length $body, $error, $unique) . $body) }
`;

/** Why there is no such file system here; undefined when there can be one. */
export const noFuse = (): string | undefined =>
  existsSync('/dev/fuse') && process.getuid?.() === 0 ? undefined : 'needs root and /dev/fuse';

/** A file system on `dir` whose files cannot be read. Disposing of it ends whoever waits for it with an error. */
export async function mountFuse(dir: string, reading: Reading): Promise<AsyncDisposable> {
  const mount = process.arch === 'arm64' ? '40' : '165';
  const server = spawn('perl', ['-e', SERVER, dir, reading, mount], { stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = once(server, 'close');
  const [first] = (await Promise.race([once(server.stdout, 'data'), ended])) as [unknown];
  if (!Buffer.isBuffer(first)) throw new Error('the file system could not be mounted');
  return {
    [Symbol.asyncDispose]: async () => {
      server.kill('SIGKILL');
      await ended;
      await command('umount', ['-l', dir]);
    },
  };
}
