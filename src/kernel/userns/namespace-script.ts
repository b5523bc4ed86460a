import { SYSCALL_NUMBERS } from '../files/syscall-numbers.ts';

// Programs for the host's perl, as the workers on files: what they do takes processes that change their user namespace, which
// Node, with its threads, cannot.

const numbers = (): string =>
  Object.entries(SYSCALL_NUMBERS)
    .map(([arch, table]) => `${arch} => { qw(${Object.entries(table).flat().join(' ')}) }`)
    .join(', ');

const CALLS = String.raw`
my %NUMBERS = (${numbers()});
my $arch = shift @ARGV;
my $NR = $NUMBERS{$arch} or die "no system calls are known of $arch\n";
my ($MS_BIND, $NEWUSER, $NEWNET) = (0x1000, 0x10000000, 0x40000000);
my $none = '';
sub call { my $name = shift; return syscall($NR->{$name}, @_) }
sub must { my $what = shift; return $_[0] if $_[0] >= 0; die "$what: " . lcfirst("$!") . "\n" }
sub put { my ($path, $text) = @_; open(my $f, '>', $path) or die "$path: " . lcfirst("$!") . "\n";
  syswrite($f, $text) == length $text or die "$path: " . lcfirst("$!") . "\n" }
sub place { my $path = shift; open(my $f, '>>', $path) or die "$path: " . lcfirst("$!") . "\n" }
sub bind_to { my ($source, $target) = map { "$_" } @_; place($target);
  must("mount $target", call('mount', $source, $target, $none, $MS_BIND, $none)) }
# A second process, woken by a byte, as is this one by it.
pipe(my $from_child, my $to_parent); pipe(my $from_parent, my $to_child);
sub wake { syswrite($_[0], "\n") } sub hear { my $line; return sysread($_[0], $line, 1) }
sub second { my $work = shift; my $pid = fork(); defined $pid or die "fork: " . lcfirst("$!") . "\n";
  if ($pid == 0) { close $from_child; close $to_child; $work->(); exit 0 }
  close $to_parent; close $from_parent; return $pid }
`;

const USER_NAMESPACE = String.raw`
# The number of a process that waits in a user namespace with these maps; it ends with this one.
sub user_namespace { my ($uids, $gids) = @_;
  my $pid = second(sub { must('unshare', call('unshare', $NEWUSER)); wake($to_parent); hear($from_parent) });
  hear($from_child) or die "no user namespace can be made\n";
  put("/proc/$pid/uid_map", $uids); put("/proc/$pid/gid_map", $gids); return $pid }
`;

/** Makes a user namespace with the maps given and keeps it at a path. */
export const MAKE_USER_NAMESPACE = `${CALLS}${USER_NAMESPACE}${String.raw`
my ($path, $uids, $gids) = @ARGV;
my $pid = user_namespace($uids, $gids);
bind_to("/proc/$pid/ns/user", $path);
`}`;

/** Mounts trees a second time, each without what is mounted in it, with the maps given. Source: mount_setattr(2), MOUNT_ATTR_IDMAP. */
export const MOUNT_MAPPED = `${CALLS}${USER_NAMESPACE}${String.raw`
my ($uids, $gids, @pairs) = map { "$_" } @ARGV;
my $pid = user_namespace($uids, $gids);
open(my $ns, '<', "/proc/$pid/ns/user") or die "user namespace: " . lcfirst("$!") . "\n";
while (@pairs) { my ($source, $target) = splice @pairs, 0, 2;
  my $tree = must("open $source", call('open_tree', -100, $source, 1 | 02000000));
  my $attr = pack('Q Q Q Q', 0x100000, 0, 1 << 18, fileno($ns));
  must('mount_setattr', call('mount_setattr', $tree, $none, 0x1000, $attr, 32));
  must("mount $target", call('move_mount', $tree, $none, -100, $target, 4)) }
`}`;

/** Makes network namespaces that belong to a user namespace and keeps each at a path. */
export const MAKE_NETWORK_NAMESPACES = `${CALLS}${String.raw`
my ($userns, @paths) = @ARGV;
open(my $ns, '<', $userns) or die "$userns: " . lcfirst("$!") . "\n";
my $pid = second(sub { must('setns', call('setns', fileno($ns), $NEWUSER));
  for (@paths) { must('unshare', call('unshare', $NEWNET)); wake($to_parent); hear($from_parent) or exit 0 } });
for (@paths) { hear($from_child) or die "no network namespace can be made\n"; bind_to("/proc/$pid/ns/net", $_); wake($to_child) }
`}`;
