// What a worker runs: a small program for the host's perl, which is there on every Debian, starts in two milliseconds and,
// unlike Node, can change its root. It is loaded whole before it enters a container's files, so nothing of theirs is run.

/** Talking: frames of a length, a letter and the rest; lists of fields are strings with their lengths. */
const FRAMES = String.raw`
use strict; no warnings; use bytes;
$| = 0; binmode STDIN; binmode STDOUT;
my $ENOENT = 2; my $EEXIST = 17; my $ENOTDIR = 20; my $ENOTSUP = 95;
my ($inbuf, $inat) = ('', 0);
sub fail { my ($what, $errno) = @_; $errno = $! + 0 unless defined $errno; $! = $errno;
  emit('X', pack('N/a* N', "$what: " . lc_error("$!"), $errno)); exit 0 }
sub lc_error { my $text = shift; return lcfirst $text }
sub put { my $left = shift; while (length $$left) { my $n = syswrite(STDOUT, $$left);
  exit 1 unless defined $n; substr($$left, 0, $n) = '' } }
sub emit { my ($type, $body) = @_; my $frame = pack('N a1', length($body) + 1, $type) . $body; put(\$frame) }
sub take { my $want = shift;
  while (length($inbuf) - $inat < $want) {
    if ($inat > 0) { substr($inbuf, 0, $inat) = ''; $inat = 0 }
    my $n = sysread(STDIN, $inbuf, 262144, length $inbuf);
    exit 1 unless $n }
  $inat += $want; return substr($inbuf, $inat - $want, $want) }
sub frame { my $length = unpack('N', take(4)); my $type = take(1); return ($type, $length - 1) }
sub fields { my ($type, $length) = frame(); return ($type, unpack('(N/a*)*', take($length))) }
`;

/** System calls that perl has no words for, and what they are about. */
const CALLS = String.raw`
my %NUMBERS = (
  x64 => { unshare => 272, setns => 308, mount => 165, lsetxattr => 189, lgetxattr => 192, llistxattr => 195,
    mknodat => 259, utimensat => 280, fchownat => 260, statx => 332 },
  arm64 => { unshare => 97, setns => 268, mount => 40, lsetxattr => 6, lgetxattr => 9, llistxattr => 12,
    mknodat => 33, utimensat => 88, fchownat => 54, statx => 291 } );
my $arch = shift @ARGV;
my $NR = $NUMBERS{$arch} or fail("working on files on $arch", 38);
my ($OPEN_TREE, $MOVE_MOUNT, $MOUNT_SETATTR) = (428, 429, 442);
my ($CWD, $NOFOLLOW, $EMPTY) = (-100, 0x100, '');
my ($O_NONBLOCK, $O_DIRECTORY, $O_NOFOLLOW) = $arch eq 'arm64' ? (04000, 040000, 0100000) : (04000, 0200000, 0400000);
my ($O_WRONLY, $O_CREAT, $O_EXCL) = (1, 0100, 0200);
sub call { my $name = shift; return syscall($NR->{$name}, @_) }
# Type and permissions, owner, size, times and device of what a name in the working directory is, itself.
sub look { my $name = "$_[0]"; my $buffer = "\0" x 256;
  return undef if call('statx', $CWD, $name, $NOFOLLOW, 0x7ff, $buffer) != 0;
  my %s; @s{qw(nlink uid gid mode ino size blocks sec nsec rmajor rminor dmajor dminor)} =
    unpack('x16 L L L S x2 Q Q Q x56 q L x4 L L L L', $buffer);
  $s{kind} = $s{mode} & 0170000; return \%s }
sub is_dir { return $_[0]{kind} == 0040000 }
sub is_link { return $_[0]{kind} == 0120000 }
sub is_file { return $_[0]{kind} == 0100000 }
# Goes into a directory, never through a symbolic link. Gives the handle that leads back to it.
sub enter { my $name = "$_[0]"; sysopen(my $dir, $name, $O_DIRECTORY | $O_NOFOLLOW | $O_NONBLOCK) or return undef;
  chdir($dir) or return undef; return $dir }
sub names { opendir(my $dir, '.') or return (); my @all = grep { $_ ne '.' && $_ ne '..' } readdir $dir;
  closedir $dir; return sort @all }
sub xattrs { my $name = "$_[0]"; my $list = "\0" x 65536; my $n = call('llistxattr', $name, $list, 65536);
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
my $root;
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
  open(my $mnt, '<', 'ns/mnt') or fail('open process');
  call('setns', fileno($mnt), 0x20000) == 0 or fail('setns'); opendir_root(); chdir($root) }
sub overlay { my ($place, $options) = @_; mounted('overlay', $place, 'overlay', 0, $options) }
# Trees are picked up outside and set down inside, where the way to the place is the container's own.
sub pick_up { my $source = "$_[0]"; my $fd = syscall($OPEN_TREE, $CWD, $source, 1 | 02000000 | 0x8000);
  return $fd < 0 ? undef : $fd }
sub set_down { my ($fd, $target, $readonly, $dir) = @_; $dir = $dir ? 1 : 0;
  my $none = "$EMPTY";
  if ($readonly) { my $attr = pack('Q Q Q Q', 1, 0, 0, 0); syscall($MOUNT_SETATTR, $fd, $none, 0x1000 | 0x8000, $attr, 32) }
  my $at = resolve($target, 1); if (!$at->{st}) { make_place($target, $dir); $at = resolve($target, 1) }
  my $name = is_dir($at->{st}) ? '.' : "$at->{name}";
  syscall($MOVE_MOUNT, $fd, $none, $CWD, $name, 4) == 0 or fail("mount $target") }
sub make_place { my ($target, $dir) = @_; my @parts = grep { $_ ne '' } split m{/}, $target; my $last = pop @parts;
  go_to(join('/', @parts)); if ($dir) { mkdir $last, 0755 } else { sysopen(my $f, $last, $O_CREAT | $O_EXCL | $O_WRONLY, 0755) } }
sub view { my ($kind, @args) = @_;
  if ($kind eq 'tree') { confine($args[0]) }
  elsif ($kind eq 'process') { join_process(@args) }
  elsif ($kind eq 'overlay') { my ($place, $options, @mounts) = @args; alone();
    my @picked;
    while (@mounts) { my ($source, $target, $ro) = splice @mounts, 0, 3;
      my $fd = pick_up($source); push @picked, [$fd, $target, $ro eq 'ro', -d $source] if defined $fd }
    overlay($place, $options); confine($place); set_down(@$_) for @picked }
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
    if (!$st) { mkdir($name, 0755) or $! == $EEXIST or fail("mkdir $path"); call('fchownat', $CWD, "$name", 0, 0, $NOFOLLOW) }
    elsif (is_link($st)) { ++$links <= 255 or fail("open $path", 40); my $target = readlink $name;
      defined $target or fail("readlink $path"); chdir($root) if $target =~ m{^/}; unshift @todo, parts($target); next }
    enter($name) or fail("mkdir $path") } }
`;

/** Reading a tree: every file's facts, then its data. */
const WALK = String.raw`
my $CHUNK = 1048576;
sub facts { my ($st, $link, $holes, @more) = @_;
  return pack('N/a* N6 Q> q> N5 Q>', $link, @$st{qw(mode uid gid nlink dmajor dminor size sec nsec rmajor rminor)}, scalar(@$holes) / 2,
    scalar(@more) / 2, $st->{ino}) . pack('(Q>)*', @$holes) . pack('(N/a*)*', @more) }
sub segments { my ($file, $st) = @_; return () if $st->{blocks} * 512 >= $st->{size} || $st->{size} < 1048576;
  my @found; my $at = 0;
  while ($at < $st->{size}) {
    my $data = sysseek($file, $at, 3); last unless defined $data; $data += 0; last if $data >= $st->{size};
    my $hole = sysseek($file, $data, 4); $hole = $st->{size} unless defined $hole; $hole += 0; $hole = $st->{size} if $hole > $st->{size};
    push @found, $data, $hole - $data; $at = $hole }
  push @found, $st->{size}, 0 unless @found; return @found }
sub send_run { my ($file, $left) = @_;
  while ($left > 0) {
    my $data = ''; my $n = sysread($file, $data, $left < $CHUNK ? $left : $CHUNK);
    # What was cut off meanwhile reads as zeros: the length has been told.
    if (!$n) { $n = $left < $CHUNK ? $left : $CHUNK; $data = "\0" x $n }
    my $head = pack('N a1', $n + 1, 'D'); put(\$head); put(\$data); $left -= $n } }
sub send_entry { my ($path, $name, $st) = @_;
  my ($link, @holes, $file) = ('');
  if (is_link($st)) { $link = readlink $name; return unless defined $link }
  if (is_file($st)) {
    sysopen($file, $name, $O_NOFOLLOW | $O_NONBLOCK) or return;
    my $again = look($name); return unless $again && is_file($again); $st = $again; @holes = segments($file, $st) }
  emit('E', pack('N/a*', $path) . facts($st, $link, \@holes, xattrs($name)));
  return unless $file;
  if (@holes) { while (@holes) { my ($at, $length) = splice @holes, 0, 2; sysseek($file, $at, 0); send_run($file, $length) } }
  else { sysseek($file, 0, 0); send_run($file, $st->{size}) } }
# What was mounted by nobody's wish, as /proc, is left out: such a directory counts as empty.
sub same_disk { return $_[0]{dmajor} == $_[1]{dmajor} && $_[0]{dminor} == $_[1]{dminor} }
sub send_below { my ($path, $here, $start) = @_; my $from = look('.');
  for my $name (names()) {
    my $st = look($name) or next; my $inner = $path eq '' ? $name : "$path/$name";
    if (!is_dir($st)) { send_entry($inner, $name, $st); next }
    my $dir = enter($name) or next; $st = look('.'); send_entry($inner, '.', $st);
    my $may = $crossing || exists $may_cross{($start eq '/' ? '' : $start) . "/$inner"};
    if ($may || same_disk($st, $from)) { my $before = $crossing; $crossing = $may; send_below($inner, $dir, $start); $crossing = $before }
    chdir($here) } }
sub walk { my $at = find($_[0]);
  if (!is_dir($at->{st})) { send_entry('', $at->{name}, $at->{st}) }
  else { sysopen(my $here, '.', $O_DIRECTORY); send_entry('', '.', $at->{st}); send_below('', $here, $at->{path}) } }
sub find { my ($path) = @_; my $into = $path =~ m{/\.?\z}; my $at = resolve($path, $into); $at->{st} or fail("lstat $path", $ENOENT);
  !$into || is_dir($at->{st}) or fail("lstat $path", $ENOTDIR); return $at }
sub report { my $at = find($_[0]); my $st = $at->{st}; my $target = '';
  $target = resolve($_[0], 1)->{path} if is_link($st); emit('E', pack('N/a*', $at->{path}) . facts($st, $target, [])) }
`;

/** Comparing an overlay's upper directory with what lies below it. */
const COMPARE = String.raw`
sub capability { my $name = "$_[0]"; my $key = 'security.capability'; my $value = "\0" x 256;
  my $n = call('lgetxattr', $name, $key, $value, 256); return $n > 0 ? substr($value, 0, $n) : '' }
sub is_opaque { my $name = '.'; my $key = 'trusted.overlay.opaque'; my $value = "\0" x 16;
  my $n = call('lgetxattr', $name, $key, $value, 16); return $n > 0 && substr($value, 0, 1) eq 'y' }
sub told { my ($st, $cap) = @_; return pack('N3 Q> q> N3 N/a*', @$st{qw(mode uid gid size sec nsec rmajor rminor)}, $cap) }
sub change { my ($kind, $path, $new, $old) = @_;
  emit('C', pack('a1 N/a* N/a* N/a*', $kind, $path, $new, $old)) }
sub compare { my ($path, $new, $old) = @_; chdir($new);
  my $opaque = is_opaque(); my %seen;
  for my $name (names()) {
    $seen{$name} = 1; chdir($new); my $st = look($name) or next; my $inner = "$path/$name";
    my ($was, $was_cap) = (undef, '');
    if ($old) { chdir($old); $was = look($name); $was_cap = capability($name) if $was; chdir($new) }
    if ($st->{kind} == 0020000 && $st->{rmajor} == 0 && $st->{rminor} == 0) { change('D', $inner, '', '') if $was; next }
    change('S', $inner, told($st, capability($name)), $was ? told($was, $was_cap) : '');
    next unless is_dir($st);
    my $into; if ($was && is_dir($was)) { chdir($old); $into = enter($name); chdir($new) }
    my $dir = enter($name) or next; compare($inner, $dir, $into) }
  return unless $old && $opaque; chdir($old);
  for my $name (names()) { change('D', "$path/$name", '', '') unless $seen{$name} } }
sub compare_all { chdir($root); my $new = enter('new') or fail('open upper'); chdir($root); my $old = enter('old'); compare('', $new, $old) }
`;

/** Writing what comes in. */
const EXTRACT = String.raw`
my ($base, $keep, %late);
sub remove_all { my $name = "$_[0]"; my $st = look($name) or return;
  if (!is_dir($st)) { unlink $name or $! == $ENOENT or fail("remove $name"); return }
  sysopen(my $here, '.', $O_DIRECTORY); my $dir = enter($name) or fail("remove $name");
  remove_all($_) for names(); chdir($here); rmdir $name or fail("remove $name") }
sub own { my ($name, $e) = @_; $name = "$name"; call('fchownat', $CWD, $name, $e->{uid}, $e->{gid}, $NOFOLLOW) == 0 or fail("lchown $e->{path}") }
sub attributes { my ($name, $e) = @_; $name = "$name"; my @x = @{$e->{xattrs}};
  while (@x) { my ($key, $value) = splice @x, 0, 2; $key = "$key"; $value = "$value";
    call('lsetxattr', $name, $key, $value, length($value), 0) == 0 or $! == $ENOTSUP or $! == 1 or fail("setxattr $key $e->{path}") } }
sub stamp { my ($name, $e) = @_; $name = "$name"; my $t = pack('q q q q', $e->{sec}, $e->{nsec}, $e->{sec}, $e->{nsec});
  call('utimensat', $CWD, $name, $t, $NOFOLLOW) == 0 or fail("utimes $e->{path}") }
sub data { my ($file, $e) = @_; my @runs = @{$e->{runs}}; @runs = (0, $e->{size}) unless @runs;
  while (@runs) { my ($at, $left) = splice @runs, 0, 2; sysseek($file, $at, 0);
    while ($left > 0) {
      my ($type, $length) = frame(); exit 1 unless $type eq 'D' && $length <= $left;
      while ($length > 0) {
        if ($inat >= length $inbuf) { $inat = 0; $inbuf = ''; my $n = sysread(STDIN, $inbuf, 262144); exit 1 unless $n }
        my $n = length($inbuf) - $inat; $n = $length if $n > $length;
        my $wrote = syswrite($file, $inbuf, $n, $inat); defined $wrote or fail("write $e->{path}");
        $inat += $wrote; $length -= $wrote; $left -= $wrote } } }
  truncate($file, $e->{size}) or fail("truncate $e->{path}") }
sub place { my ($name, $e) = @_; my $kind = $e->{mode} & 0170000; my $bits = $e->{mode} & 07777; my $raw = "$name";
  if ($kind == 0040000) { mkdir($name, 0700) or $! == $EEXIST or fail("mkdir $e->{path}");
    sysopen(my $dir, $name, $O_DIRECTORY | $O_NOFOLLOW | $O_NONBLOCK) or fail("open $e->{path}");
    own($name, $e); attributes($name, $e); chmod($bits, $dir) or fail("chmod $e->{path}"); $late{$e->{path}} = $e; return }
  if ($kind == 0120000) { symlink("$e->{link}", $name) or fail("symlink $e->{path}"); own($name, $e); attributes($name, $e); stamp($name, $e); return }
  if ($kind == 0100000) {
    sysopen(my $file, $name, $O_CREAT | $O_EXCL | $O_WRONLY | $O_NOFOLLOW, 0600) or fail("open $e->{path}");
    data($file, $e); chown($e->{uid}, $e->{gid}, $file) or fail("chown $e->{path}"); attributes($name, $e);
    chmod($bits, $file) or fail("chmod $e->{path}"); close($file) or fail("write $e->{path}"); stamp($name, $e); return }
  my $dev = ($e->{major} & 0xfff) << 8 | ($e->{minor} & 0xff) | ($e->{minor} & ~0xff) << 12 | ($e->{major} & ~0xfff) << 32;
  umask 0; call('mknodat', $CWD, $raw, $kind | $bits, $dev) == 0 or fail("mknod $e->{path}");
  umask 022; own($name, $e); attributes($name, $e); stamp($name, $e) }
sub hard_link { my ($name, $e) = @_; sysopen(my $here, '.', $O_DIRECTORY);
  my $at = resolve("$base/$e->{link}", 0); $at->{st} && !is_dir($at->{st}) or fail("link $e->{link} $e->{path}", $ENOENT);
  sysopen(my $there, '.', $O_DIRECTORY); my $source = "$at->{name}"; chdir($here); my $target = "$name";
  syscall($arch eq 'arm64' ? 37 : 265, fileno($there), $source, fileno($here), $target, 0) == 0 or fail("link $e->{link} $e->{path}") }
sub shown { return ($base eq '/' ? '' : $base) . '/' . join('/', parts($_[0]{path})) }
sub clear_way { my ($name, $e) = @_; my $st = look($name) or return; my $dir = $e->{type} ne 'L' && ($e->{mode} & 0170000) == 0040000;
  if ($keep && is_dir($st) && !$dir) { fail_text("cannot overwrite directory \"" . shown($e) . "\" with non-directory \"$base\"") }
  if ($keep && !is_dir($st) && $dir) { fail_text("cannot overwrite non-directory \"" . shown($e) . "\" with directory \"$base\"") }
  remove_all($name) unless is_dir($st) && $dir }
sub fail_text { emit('X', pack('N/a* N', $_[0], 0)); exit 0 }
sub finish { for my $path (sort { length $b <=> length $a } keys %late) {
    my $at = resolve("$base/$path", 0); next unless $at->{st} && is_dir($at->{st}); stamp('.', $late{$path}) } }
sub extract { ($base, $keep) = @_; my $at = resolve($base, 1); $at->{st} or fail("lstat $base", $ENOENT);
  is_dir($at->{st}) or fail_text('extraction point is not a directory'); $base = $at->{path};
  emit('R', pack('N/a*', $base)); $keep = $keep eq '1'; umask 022;
  my $parent = undef;
  while (1) {
    my ($type, $length) = frame(); last if $type eq 'Z'; my $raw = take($length);
    my %e = (type => $type); my ($count, $more);
    (@e{qw(path link mode uid gid size sec nsec major minor)}, $count, my $rest) = unpack('N/a* N/a* N3 Q> q> N3 N a*', $raw);
    $e{runs} = [unpack("(Q>)$count", $rest)]; $e{xattrs} = [unpack('(N/a*)*', substr($rest, 8 * $count))];
    my @way = parts($e{path}); my $name = pop @way; my $dir = join '/', @way;
    go_to("$base/$dir");
    if (!defined $name) { next }
    clear_way($name, \%e);
    if ($type eq 'L') { hard_link($name, \%e) } else { place($name, \%e) } }
  finish() }
`;

const MAIN = String.raw`
my ($type, @view) = fields(); view(@view);
my ($op, @args); ($type, $op, @args) = fields();
if ($op eq 'walk') { walk(@args) } elsif ($op eq 'stat') { report(@args) } elsif ($op eq 'compare') { compare_all() }
elsif ($op eq 'extract') { extract(@args) } else { fail("work $op", 22) }
emit('Z', '');
`;

/** The whole program; its one argument is the architecture as Node names it. */
export const WORKER_SCRIPT: string = [FRAMES, CALLS, VIEWS, PATHS, WALK, COMPARE, EXTRACT, MAIN].join('');
