// The verbs of a worker's program (see `worker-script.ts`), each to follow what is common to all.

/** Parts with data that are told of a file; readers of archives take more. */
const MAX_SEGMENTS = 1 << 14;

/** Telling what is at a path, and whereto it leads if it is a link. */
const STAT = String.raw`
sub facts { my ($st, $link, $holes, @more) = @_;
  return pack('N/a* N6 Q> q> N5 Q>', $link, @$st{qw(mode uid gid nlink dmajor dminor size sec nsec rmajor rminor)}, scalar(@$holes) / 2,
    scalar(@more) / 2, $st->{ino}) . pack('(Q>)*', @$holes) . pack('(N/a*)*', @more) }
sub find { my ($path) = @_; my $into = $path =~ m{/\.?\z}; my $at = resolve($path, $into); $at->{st} or fail("lstat $path", $ENOENT);
  !$into || is_dir($at->{st}) or fail("lstat $path", $ENOTDIR); return $at }
sub report { my $at = find($_[0]); my $st = $at->{st}; my $target = '';
  $target = resolve($_[0], 1)->{path} if is_link($st); emit('E', pack('N/a*', $at->{path}) . facts($st, $target, [])) }
`;

/**
 * Reading a tree, after telling what it is: every file's facts, then its data. Much data is not passed on: the engine is offered the
 * open file.
 */
const WALK = String.raw`
my ($CHUNK, $MUCH, $MAX_SEGMENTS) = (1048576, 524288, ${MAX_SEGMENTS});
sub segments { my ($file, $st) = @_; return () if $st->{blocks} * 512 >= $st->{size} || $st->{size} < 1048576;
  my @found; my $at = 0;
  while ($at < $st->{size}) {
    my $data = sysseek($file, $at, 3);
    # None after this; or it cannot be told, and reading meets the error.
    if (!defined $data) { $! == 6 or return (); last } $data += 0; last if $data >= $st->{size};
    my $hole = sysseek($file, $data, 4); $hole = $st->{size} unless defined $hole; $hole += 0; $hole = $st->{size} if $hole > $st->{size};
    # Of too many, those after the last are read as data.
    $hole = $st->{size} if @found >= 2 * $MAX_SEGMENTS - 2;
    push @found, $data, $hole - $data; $at = $hole }
  push @found, $st->{size}, 0 unless @found; return @found }
sub send_run { my ($path, $file, $left) = @_;
  while ($left > 0) {
    my $data = ''; my $n = sysread($file, $data, $left < $CHUNK ? $left : $CHUNK); defined $n or fail("read $path");
    # What was cut off meanwhile reads as zeros: the length has been told.
    if (!$n) { $n = $left < $CHUNK ? $left : $CHUNK; $data = "\0" x $n }
    my $head = pack('N a1', $n + 1, 'D'); put(\$head); put(\$data); $left -= $n } }
# A file in memory at once.
sub send_small { my ($path, $fd, $left) = @_;
  while ($left > 0) {
    my $data = "\0" x $left; my $n = call('read', $fd, $data, $left); $n >= 0 or fail("read $path");
    $n ||= $left; emit('D', substr($data, 0, $n)); $left -= $n }
  call('close', $fd) }
sub send_entry { my ($path, $name, $st) = @_;
  my ($link, @holes, $fd, $file) = ('');
  if (is_link($st)) { $link = readlink $name; defined $link or return passed($path) }
  if (is_file($st)) {
    ($fd, $st) = open_file($name); defined $fd or return passed($path eq '' ? $name : $path);
    if ($st->{size} >= $MUCH) { open($file, '<&=', $fd) or fail("open $path"); @holes = segments($file, $st) } }
  emit('E', pack('N/a*', $path) . facts($st, $link, \@holes, xattrs($name)));
  if (!$file) { send_small($path eq '' ? $name : $path, $fd, $st->{size}) if defined $fd; return 1 }
  @holes = (0, $st->{size}) unless @holes; my $all = 0; $all += $holes[$_ * 2 + 1] for 0 .. $#holes / 2;
  return 1 if $all >= $MUCH && offer($file);
  while (@holes) { my ($at, $length) = splice @holes, 0, 2; sysseek($file, $at, 0); send_run($path eq '' ? $name : $path, $file, $length) }
  return 1 }
# What was mounted by nobody's wish, as /proc, is left out: such a directory counts as empty.
sub same_disk { return $_[0]{dmajor} == $_[1]{dmajor} && $_[0]{dminor} == $_[1]{dminor} }
sub send_below { my ($path, $here, $start) = @_; my $from = look('.');
  for my $name (names($path)) {
    my $inner = $path eq '' ? $name : "$path/$name"; my $st = look($name); if (!$st) { passed($inner); next }
    if (!is_dir($st)) { send_entry($inner, $name, $st); next }
    my $dir = enter($name); if (!$dir) { passed($inner); next } $st = look('.'); send_entry($inner, '.', $st);
    my $may = $crossing || exists $may_cross{($start eq '/' ? '' : $start) . "/$inner"};
    if ($may || same_disk($st, $from)) { my $before = $crossing; $crossing = $may; send_below($inner, $dir, $start); $crossing = $before }
    chdir($here) } }
sub walk { report($_[0]); my $at = find($_[0]);
  if (!is_dir($at->{st})) { send_entry('', $at->{name}, $at->{st}) or fail("lstat $_[0]", $ENOENT) }
  else { sysopen(my $here, '.', $O_DIRECTORY); send_entry('', '.', $at->{st}); send_below('', $here, $at->{path}) } }
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
  for my $name (names($path)) {
    $seen{$name} = 1; chdir($new); my $inner = "$path/$name"; my $st = look($name); if (!$st) { passed($inner); next }
    my ($was, $was_cap) = (undef, '');
    if ($old) { chdir($old); $was = look($name); $was_cap = capability($name) if $was; chdir($new) }
    if ($st->{kind} == 0020000 && $st->{rmajor} == 0 && $st->{rminor} == 0) { change('D', $inner, '', '') if $was; next }
    change('S', $inner, told($st, capability($name)), $was ? told($was, $was_cap) : '');
    next unless is_dir($st);
    my $into; if ($was && is_dir($was)) { chdir($old); $into = enter($name); chdir($new) }
    my $dir = enter($name); if (!$dir) { passed($inner); next } compare($inner, $dir, $into) }
  return unless $old && $opaque; chdir($old);
  for my $name (names($path)) { change('D', "$path/$name", '', '') unless $seen{$name} } }
sub compare_all { chdir($root); my $new = enter('new') or fail('open upper'); chdir($root); my $old = enter('old'); compare('', $new, $old) }
`;

/** Writing what comes in. */
const EXTRACT = String.raw`
my ($base, $keep, %late);
sub remove_all { my $name = "$_[0]"; my $st = look($name) or return;
  if (!is_dir($st)) { unlink $name or $! == $ENOENT or fail("remove $name"); return }
  sysopen(my $here, '.', $O_DIRECTORY); my $dir = enter($name) or fail("remove $name");
  remove_all($_) for names($name); chdir($here); rmdir $name or fail("remove $name") }
sub own { my ($name, $e) = @_; $name = "$name"; call('fchownat', $CWD, $name, $e->{uid}, $e->{gid}, $NOFOLLOW) == 0 or fail("lchown $e->{path}") }
sub attributes { my ($name, $e) = @_; $name = "$name"; my @x = @{$e->{xattrs}};
  while (@x) { my ($key, $value) = splice @x, 0, 2; $key = "$key"; $value = "$value";
    call('lsetxattr', $name, $key, $value, length($value), 0) == 0 or $! == $ENOTSUP or $! == 1 or fail("setxattr $key $e->{path}") } }
sub stamp { my ($name, $e) = @_; $name = "$name"; my $t = pack('q q q q', $e->{sec}, $e->{nsec}, $e->{sec}, $e->{nsec});
  call('utimensat', $CWD, $name, $t, $NOFOLLOW) == 0 or fail("utimes $e->{path}") }
sub data { my ($file, $e) = @_; my @runs = @{$e->{runs}}; @runs = (0, $e->{size}) unless @runs;
  if ($e->{type} eq 'F') { if (offer($file)) { @runs = () } else { emit('N', '') } }
  my ($type, $length) = ('D', 0);
  while (@runs) { my ($at, $left) = splice @runs, 0, 2; sysseek($file, $at, 0);
    while ($left > 0) {
      ($type, $length) = frame() if $length == 0; exit 1 unless $type eq 'D';
      if ($inat >= length $inbuf) { $inat = 0; $inbuf = ''; flush(); my $n = sysread(STDIN, $inbuf, 262144); exit 1 unless $n }
      my $n = length($inbuf) - $inat; $n = $length if $n > $length; $n = $left if $n > $left;
      my $wrote = syswrite($file, $inbuf, $n, $inat); defined $wrote or fail("write $e->{path}");
      $inat += $wrote; $length -= $wrote; $left -= $wrote } }
  exit 1 if $length > 0;
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
  call('linkat', fileno($there), $source, fileno($here), $target, 0) == 0 or fail("link $e->{link} $e->{path}") }
sub shown { return ($base eq '/' ? '' : $base) . '/' . join('/', parts($_[0]{path})) }
# True when nothing was there.
sub clear_way { my ($name, $e) = @_; my $st = look($name) or return 1; my $dir = $e->{type} ne 'L' && ($e->{mode} & 0170000) == 0040000;
  if ($keep && is_dir($st) && !$dir) { fail_text("cannot overwrite directory \"" . shown($e) . "\" with non-directory \"$base\"") }
  if ($keep && !is_dir($st) && $dir) { fail_text("cannot overwrite non-directory \"" . shown($e) . "\" with directory \"$base\"") }
  return 1 if is_dir($st) && $dir; remove_all($name); return 0 }
sub fail_text { emit('X', pack('N/a* N', $_[0], 0)); flush(); exit 0 }
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
    # Where the last file went, unless that may be elsewhere by now.
    go_to("$base/$dir") unless defined $parent && $parent eq $dir;
    $parent = undef; next unless defined $name;
    my $new = clear_way($name, \%e);
    if ($type eq 'L') { hard_link($name, \%e) } else { place($name, \%e) }
    $parent = $dir if $new && ($e{mode} & 0170000) != 0120000 }
  finish() }
`;

/** What a worker can do: `run` is what it does with its arguments. */
export const VERBS = {
  stat: `${STAT}sub run { report(@_) }`,
  walk: `${STAT}${WALK}sub run { walk(@_) }`,
  compare: `${COMPARE}sub run { compare_all() }`,
  extract: `${EXTRACT}sub run { extract(@_) }`,
} as const;

export type Verb = keyof typeof VERBS;
