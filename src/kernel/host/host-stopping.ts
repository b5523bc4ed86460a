import { run } from '../../util/spawn.ts';

/** Whether this host is going down, as far as systemd tells; where there is no systemd nobody does. Source: systemctl(1), is-system-running. */
export async function hostIsStopping(): Promise<boolean> {
  try {
    const { stdout } = await run('systemctl', ['is-system-running'], { allowFailure: true });
    return stdout.trim() === 'stopping';
  } catch {
    return false;
  }
}
