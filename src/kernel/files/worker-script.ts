import { SYSCALL_NUMBERS } from './syscall-numbers.ts';
import { VERBS, type Verb } from './worker-verbs.ts';

// What a worker runs: a small program for the host's perl, which is there on every Debian, starts in two milliseconds and,
// unlike Node, can change its root. It is loaded whole before it enters a container's files, so nothing of theirs is run.
// It does without `strict` and `bytes`, whose loading would take another millisecond; a test compiles it with them.

/** Talking: frames of a length, a letter and the rest; lists of fields are strings with their lengths. */
const FRAMES = String.raw`
$| = 0; binmode STDIN; binmode STDOUT;
my $ENOENT = 2; my $EEXIST = 17; my $ENOTDIR = 20; my $ENOTSUP = 95;
my ($inbuf, $inat) = ('', 0);
sub fail { my ($what, $errno) = @_; $errno = $! + 0 unless defined $errno; $! = $errno;
  emit('X', pack('N/a* N', "$what: " . lc_error("$!"), $errno)); flush(); exit 0 }
sub lc_error { my $text = shift; return lcfirst $text }
# What is said is kept back until it is much, or until an answer is waited for.
my $out = '';
sub put { my $more = shift; $out .= $$more; flush() if length $out >= 131072 }
sub flush { my $at = 0;
  while ($at < length $out) { my $n = syswrite(STDOUT, $out, length($out) - $at, $at); exit 1 unless defined $n; $at += $n }
  $out = '' }
sub emit { my ($type, $body) = @_; my $frame = pack('N a1', length($body) + 1, $type) . $body; put(\$frame) }
sub take { my $want = shift;
  while (length($inbuf) - $inat < $want) {
    if ($inat > 0) { substr($inbuf, 0, $inat) = ''; $inat = 0 }
    flush(); my $n = sysread(STDIN, $inbuf, 262144, length $inbuf);
    exit 1 unless $n }
  $inat += $want; return substr($inbuf, $inat - $want, $want) }
sub frame { my $length = unpack('N', take(4)); my $type = take(1); return ($type, $length - 1) }
# Lets the engine open a file that is open here, and waits until it is done with it. True when that can be done.
sub offer { my $file = shift; return 0 unless is_sure($file); emit('F', pack('N Q> Q>', fileno($file), (stat $file)[0, 1]));
  my ($type) = frame(); exit 1 unless $type eq 'G'; return 1 }
sub fields { my ($type, $length) = frame(); return ($type, unpack('(N/a*)*', take($length))) }
`;

const perlNumbers = (): string =>
  Object.entries(SYSCALL_NUMBERS)
    .map(([arch, numbers]) => `${arch} => { qw(${Object.entries(numbers).flat().join(' ')}) }`)
    .join(', ');

/** System calls that perl has no words for, and what they are about. */
const CALLS = String.raw`
my %NUMBERS = (${perlNumbers()});
my $arch = shift @ARGV;
my $NR = $NUMBERS{$arch} or fail("working on files on $arch", 38);
my ($CWD, $NOFOLLOW) = (-100, 0x100);
my ($O_NONBLOCK, $O_DIRECTORY, $O_NOFOLLOW) = $arch eq 'arm64' ? (04000, 040000, 0100000) : (04000, 0200000, 0400000);
my ($O_WRONLY, $O_CREAT, $O_EXCL, $O_PATH) = (1, 0100, 0200, 010000000);
sub call { my $name = shift; return syscall($NR->{$name}, @_) }
# Type and permissions, owner, size, times and device of what a name in the working directory is, itself.
sub look { return statx($CWD, "$_[0]", $NOFOLLOW) }
sub statx { my ($dir, $name, $flags) = @_; my $buffer = "\0" x 256;
  return undef if call('statx', $dir, $name, $flags, 0x17ff, $buffer) != 0;
  my %s; @s{qw(nlink uid gid mode ino size blocks sec nsec rmajor rminor dmajor dminor mount)} =
    unpack('x16 L L L S x2 Q Q Q x56 q L x4 L L L L Q', $buffer);
  $s{kind} = $s{mode} & 0170000; return \%s }
sub is_dir { return $_[0]{kind} == 0040000 }
sub is_link { return $_[0]{kind} == 0120000 }
sub is_file { return $_[0]{kind} == 0100000 }
# What went away or became something else after its name was read is no error, nor what not even root may look at.
sub passed { my $errno = $! + 0; grep { $errno == $_ } 1, $ENOENT, 6, 13, $ENOTDIR, 40 or fail("open $_[0]"); return }
# True for the file systems that answer sooner or later. One whose server is a program or far away may never, and who waits for it
# then has to be a worker, which can be ended. Of overlays, whose layers may be anywhere, only the container's own is known.
my $root;
my %SURE = map { $_ => 1 } 0xef53, 0x58465342, 0x9123683e, 0xf2f52010, 0x2fc12fc1, 0x01021994, 0x858458f6, 0x73717368, 0xca451a4e;
sub is_sure { my $file = shift; my $buffer = "\0" x 256; call('fstatfs', fileno($file), $buffer) == 0 or return 0;
  my $type = unpack('Q', $buffer) & 0xffffffff; return $SURE{$type} || 0 if $type != 0x794c7630;
  return statx(fileno($file), '', 0x1000)->{mount} == statx(fileno($root), '', 0x1000)->{mount} }
# Opens a plain file and nothing else: a device would be the host's. So the name is only held until it is known what it is.
# Gives its number, as perl's own files cost four calls more, and what it is; or nothing and says why in $!.
opendir(my $handles, '/proc/self/fd') or fail('open handles');
sub open_file { my $name = "$_[0]"; my $held = call('openat', $CWD, $name, $O_PATH | $O_NOFOLLOW, 0); return if $held < 0;
  my $st = statx($held, '', 0x1000); my ($fd, $number) = (-1, "$held");
  if ($st) { if (is_file($st)) { $fd = call('openat', fileno($handles), $number, $O_NONBLOCK, 0) } else { $! = $ENOENT } }
  my $errno = $! + 0; call('close', $held); $! = $errno; return if $fd < 0; return ($fd, $st) }
# Goes into a directory, never through a symbolic link. Gives the handle that leads back to it.
sub enter { my $name = "$_[0]"; sysopen(my $dir, $name, $O_DIRECTORY | $O_NOFOLLOW | $O_NONBLOCK) or return undef;
  chdir($dir) or return undef; return $dir }
sub names { my $path = shift; opendir(my $dir, '.') or return passed($path);
  $! = 0; my @all = grep { $_ ne '.' && $_ ne '..' } readdir $dir; $! == 0 or return passed($path);
  closedir $dir; return sort @all }
sub xattrs { my $name = "$_[0]"; my $nothing = '';
  # Most files have none, and asking with room for many takes longer.
  return () if call('llistxattr', $name, $nothing, 0) <= 0;
  my $list = "\0" x 65536; my $n = call('llistxattr', $name, $list, 65536);
  return () if $n <= 0; my @found;
  for my $key (split /\0/, substr($list, 0, $n)) {
    my $value = "\0" x 65536; my $asked = "$key"; my $size = call('lgetxattr', $name, $asked, $value, 65536);
    push @found, $key, substr($value, 0, $size) if $size >= 0 }
  return @found }
`;

/**
 * Whose files: the worker leaves the host's root for theirs before it looks at a single name, and has no way back. Mounts are
 * made in a namespace of its own, so they go when it goes, whatever ends it.
 */
const VIEWS = String.raw`
my ($MS_BIND, $MS_REC, $MS_PRIVATE, $MS_RDONLY) = (0x1000, 0x4000, 0x40000, 1);
# Where ids are mapped the worker is root by the container's ids; what it makes before, it gives to that root.
my ($own_uid, $own_gid) = (0, 0);
sub open_userns { my $path = shift; return undef if $path eq '';
  open(my $ns, '<', $path) or fail('open user namespace'); return (stat $ns)[1] == (stat '/proc/self/ns/user')[1] ? undef : $ns }
sub join_userns { my $ns = shift; ($own_uid, $own_gid) = (0, 0); return unless defined $ns; my $none = '';
  call('setns', fileno($ns), 0x10000000) == 0 or fail('setns');
  call('setgroups', 0, $none) == 0 && call('setresgid', 0, 0, 0) == 0 && call('setresuid', 0, 0, 0) == 0 or fail('setuid') }
sub mounted { my ($source, $target, $type, $flags, $data) = map { "$_" } @_; $flags += 0;
  call('mount', $source, $target, $type, $flags, $data) == 0 or fail("mount $type") }
sub confine { my $path = shift; chdir($path) or fail('open root'); chroot('.') or fail('chroot');
  chdir('/') or fail('open root'); opendir_root() }
sub opendir_root { sysopen($root, '/', $O_DIRECTORY) or fail('open root') }
sub alone { call('unshare', 0x20000) == 0 or fail('unshare'); mounted('', '/', '', $MS_REC | $MS_PRIVATE, '') }
# A name is looked up below the process's own directory, so its number cannot come to mean another process meanwhile.
my ($crossing, %may_cross) = (1);
sub join_process { my ($pid, $id, @mounts) = @_; $crossing = 0; @may_cross{@mounts} = ();
  chdir("/proc/$pid") or fail('open process'); open(my $groups, '<', 'cgroup') or fail('open process');
  my $own = join '', <$groups>; $own =~ /\Q$id\E/ or fail('open process', 3);
  open(my $mnt, '<', 'ns/mnt') or fail('open process'); my $user = open_userns('ns/user');
  call('setns', fileno($mnt), 0x20000) == 0 or fail('setns'); opendir_root(); chdir($root); join_userns($user) }
sub overlay { my ($place, $options) = @_; mounted('overlay', $place, 'overlay', 0, $options) }
# Trees are picked up outside and set down inside, where the way to the place is the container's own.
sub pick_up { my ($source, $what) = @_; $source = "$source"; my $fd = call('open_tree', $CWD, $source, 1 | 02000000 | 0x8000);
  $fd >= 0 or fail($what); return $fd }
sub set_down { my ($fd, $target, $readonly, $dir) = @_; $dir = $dir ? 1 : 0;
  my $none = "";
  if ($readonly) { my $attr = pack('Q Q Q Q', 1, 0, 0, 0); 
    call('mount_setattr', $fd, $none, 0x1000 | 0x8000, $attr, 32) == 0 or fail("remount $target") }
  my $at = resolve($target, 1); if (!$at->{st}) { make_place($target, $dir); $at = resolve($target, 1) }
  !!is_dir($at->{st}) == !!$dir or fail("mount $target", $ENOTDIR);
  my $name = is_dir($at->{st}) ? '.' : "$at->{name}";
  call('move_mount', $fd, $none, $CWD, $name, 4) == 0 or fail("mount $target") }
sub make_place { my ($target, $dir) = @_; my @parts = grep { $_ ne '' } split m{/}, $target; my $last = pop @parts;
  go_to(join('/', @parts)); ($dir ? mkdir($last, 0755) : sysopen(my $f, $last, $O_CREAT | $O_EXCL | $O_WRONLY, 0755)) or fail("mkdir $target");
  call('fchownat', $CWD, "$last", $own_uid, $own_gid, $NOFOLLOW) if $own_uid }
sub view { my ($kind, @args) = @_;
  # A tree of its own: the one on the host can be unmounted meanwhile.
  if ($kind eq 'tree') { my $user = open_userns($args[1]); confine('/proc/self/fd/' . pick_up($args[0], 'open root')); join_userns($user) }
  elsif ($kind eq 'process') { join_process(@args) }
  elsif ($kind eq 'overlay') { my ($userns, $uid, $gid, $place, $options, @mounts) = @args;
    my $user = open_userns($userns); ($own_uid, $own_gid) = ($uid + 0, $gid + 0); alone();
    my @picked;
    while (@mounts) { my ($source, $target, $ro) = splice @mounts, 0, 3;
      push @picked, [pick_up($source, "stat $source"), $target, $ro eq 'ro', -d $source] }
    overlay($place, $options); confine($place); set_down(@$_) for @picked; join_userns($user) }
  elsif ($kind eq 'pair') { my ($place, $upper, $kind_of, $lower) = @args; alone();
    mounted('none', $place, 'tmpfs', 0, 'size=64k'); mkdir "$place/new"; mkdir "$place/old";
    mounted($upper, "$place/new", '', $MS_BIND, '');
    if ($kind_of eq 'overlay') { overlay("$place/old", $lower) }
    elsif ($kind_of eq 'bind') { mounted($lower, "$place/old", '', $MS_BIND, '') }
    confine($place) }
  else { fail("view $kind", 22) } }
`;

/** Finding a path: every symbolic link is followed here, as text, never by the kernel; so there are no magic ones. */
const PATHS = String.raw`
sub parts { return grep { $_ ne '' && $_ ne '.' } split m{/}, $_[0] }
# Gives what is there, the real path, and leaves the process in it (a directory) or beside it. What does not exist is told
# by its name alone, as a dangling link is.
sub resolve { my ($path, $follow) = @_; my @todo = parts($path); my @at; my $links = 0; my $missing = 0; my $st;
  chdir($root); $st = look('.');
  while (@todo) {
    my $name = shift @todo;
    if ($name eq '..') { pop @at; chdir('..') unless $missing; $st = look('.') unless $missing; next }
    if ($missing) { push @at, $name; next }
    is_dir($st) or fail("lstat $path", $ENOTDIR);
    $st = look($name);
    if (!$st) { $! == $ENOENT or fail("lstat $path"); push @at, $name; $missing = 1; next }
    if (is_link($st) && (@todo || $follow)) {
      ++$links <= 255 or fail("lstat $path", 40);
      my $target = readlink $name; defined $target or fail("readlink $path");
      if ($target =~ m{^/}) { chdir($root); @at = () }
      unshift @todo, parts($target); $st = look('.'); next }
    push @at, $name;
    if (is_dir($st)) { enter($name) or fail("open $path") } }
  return { st => ($missing ? undef : $st), path => '/' . join('/', @at), name => $at[-1] } }
# Goes to a directory, making what is missing of the way.
sub go_to { my ($path) = @_; my @todo = parts($path); my $links = 0; chdir($root);
  while (@todo) {
    my $name = shift @todo;
    if ($name eq '..') { chdir('..'); next }
    my $st = look($name);
    if (!$st) { mkdir($name, 0755) or $! == $EEXIST or fail("mkdir $path"); call('fchownat', $CWD, "$name", $own_uid, $own_gid, $NOFOLLOW) }
    elsif (is_link($st)) { ++$links <= 255 or fail("open $path", 40); my $target = readlink $name;
      defined $target or fail("readlink $path"); chdir($root) if $target =~ m{^/}; unshift @todo, parts($target); next }
    enter($name) or fail("mkdir $path") } }
`;

const MAIN = String.raw`
my (undef, @view) = fields(); view(@view);
my (undef, @args) = fields(); run(@args);
emit('Z', ''); flush();
`;

/** The whole program for one verb; its one argument is the architecture as Node names it. */
export function workerScript(verb: Verb): string {
  return [FRAMES, CALLS, VIEWS, PATHS, VERBS[verb], MAIN].join('');
}
