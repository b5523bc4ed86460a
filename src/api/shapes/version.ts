import type { SystemFacts } from '../../engine/engine.ts';
import { apiName, NEWEST_API, OLDEST_API } from '../api-version.ts';

/** The version number inside what a tool prints about itself. */
export const versionNumber = (text: string): string => /\d+\.\d+[^\s,]*/.exec(text)?.[0] ?? text;

const tool = (Name: string, printed: string) =>
  printed === '' ? [] : [{ Name, Version: versionNumber(printed), Details: { GitCommit: '' } }];

const GO_ARCH: Record<string, string> = { x86_64: 'amd64', x64: 'amd64', aarch64: 'arm64' };

/** `GET /version`. */
export function versionShape(facts: SystemFacts) {
  const arch = GO_ARCH[facts.arch] ?? facts.arch;
  const engine = {
    ApiVersion: apiName(NEWEST_API),
    MinAPIVersion: apiName(OLDEST_API),
    // A build does not know its commit or its time, and is no Go program.
    GitCommit: '',
    GoVersion: '',
    Os: 'linux',
    Arch: arch,
    KernelVersion: facts.kernelVersion,
    BuildTime: '',
  };
  return {
    Platform: { Name: 'Gantry' },
    Components: [
      { Name: 'Engine', Version: facts.version, Details: { ...engine, Experimental: 'false' } },
      ...tool('containerd', facts.tools.containerd),
      ...tool('runc', facts.tools.runc),
      ...tool('crun', facts.tools.crun),
      ...tool('docker-init', facts.tools.init),
    ],
    Version: facts.version,
    ...engine,
  };
}
