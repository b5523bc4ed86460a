import { importBusybox } from './support/both.ts';
import { startDockerd } from './support/dockerd.ts';
import { command } from './support/target.ts';

await using d = await startDockerd({ extra: ['--userns-remap', 'default'] });
await importBusybox(d);
const sh = async (...a: string[]) => {
  const r = await d.docker(a);
  console.log(a.join(' '), '=>', r.code, r.stdout.trim(), r.stderr.trim());
};
await sh('run', '-d', '--name', 'bb', '--userns', 'host', '--ipc', 'shareable', 'busybox', 'sleep', '1000');
await sh('run', '-d', '--name', 'cc', '--ipc', 'shareable', 'busybox', 'sleep', '1000');
for (const k of ['pid', 'ipc', 'network'])
  await sh('run', '--rm', `--${k}`, 'container:bb', 'busybox', 'cat', '/proc/self/uid_map');
for (const k of ['pid', 'ipc', 'network'])
  await sh('run', '--rm', '--userns', 'host', `--${k}`, 'container:cc', 'busybox', 'cat', '/proc/self/uid_map');
await sh(
  'run',
  '--rm',
  '--ipc',
  'host',
  'busybox',
  'sh',
  '-c',
  'cat /proc/self/uid_map; ls -ld /dev/shm; touch /dev/shm/xyz',
);
await sh('run', '--rm', '--uts', 'host', 'busybox', 'hostname');
await sh('run', '--rm', '--cgroupns', 'host', 'busybox', 'true');
console.log((await command('sh', ['-c', 'rm -f /dev/shm/xyz; mkdir -p /tmp/srcx/there'])).stdout);
await sh('run', '--rm', '-v', '/tmp/srcx/there/a/b:/v', '-v', '/tmp/srcx/c:/w', 'busybox', 'sh', '-c', 'ls -ldn /v /w');
await sh('run', '--rm', '--userns', 'host', '-v', '/tmp/srcx/hosted:/v', 'busybox', 'sh', '-c', 'ls -ldn /v');
await sh('create', '--name', 'ee', '-v', '/tmp/srcx/made:/v', 'busybox', 'true');
console.log((await command('sh', ['-c', 'find /tmp/srcx -printf "%p %U:%G %m\\n"; rm -r /tmp/srcx'])).stdout);
