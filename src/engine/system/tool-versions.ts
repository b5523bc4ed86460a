import { run } from '../../util/spawn.ts';

/** Versions of the programs below the engine, as they print them; empty when one is not installed. */
export interface ToolVersions {
  containerd: string;
  runc: string;
  crun: string;
  init: string;
}

/** Asks the programs. `initBinary` may be empty. */
export async function readToolVersions(initBinary: string): Promise<ToolVersions> {
  const [containerd, runc, crun, init] = await Promise.all([
    versionOf('containerd-shim-runc-v2', '-v'),
    versionOf('runc', '--version'),
    versionOf('crun', '--version'),
    initBinary === '' ? '' : versionOf(initBinary, '--version'),
  ]);
  return { containerd, runc, crun, init };
}

async function versionOf(command: string, flag: string): Promise<string> {
  try {
    const { stdout, stderr } = await run(command, [flag], { allowFailure: true });
    return parseVersion(stdout) || parseVersion(stderr);
  } catch {
    return '';
  }
}

/** The word after `version`, in any of the forms these programs print it. */
export function parseVersion(text: string): string {
  return /version:?\s+v?(\d\S*)/i.exec(text)?.[1] ?? '';
}
