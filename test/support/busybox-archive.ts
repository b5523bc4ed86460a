import { execFile } from 'node:child_process';
import { copyFile, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const exec = promisify(execFile);

/** A tar of a root file system with the host's static busybox and nothing else worth naming. */
export async function busyboxArchive(): Promise<Buffer> {
  const dir = await mkdtemp(join(tmpdir(), 'gantry-busybox-'));
  try {
    for (const name of ['bin', 'etc', 'tmp', 'root', 'home', 'var', 'usr']) await mkdir(join(dir, name));
    await copyFile('/bin/busybox', join(dir, 'bin', 'busybox'));
    const { stdout } = await exec('/bin/busybox', ['--list']);
    const applets = stdout.split('\n').filter((name) => name !== '' && name !== 'busybox');
    await Promise.all(applets.map((name) => symlink('busybox', join(dir, 'bin', name))));
    await writeFile(
      join(dir, 'etc', 'passwd'),
      'root:x:0:0:root:/root:/bin/sh\ndaemon:x:1:1::/:/bin/false\nme:x:1000:1000::/home:/bin/sh\n',
    );
    await writeFile(join(dir, 'etc', 'group'), 'root:x:0:\ndaemon:x:1:\nwheel:x:10:root,me\nme:x:1000:\n');
    const archive = await exec('tar', ['-C', dir, '--numeric-owner', '--owner=0', '--group=0', '-c', '.'], {
      encoding: 'buffer',
      maxBuffer: 64 << 20,
    });
    return archive.stdout;
  } finally {
    await rm(dir, { recursive: true });
  }
}
