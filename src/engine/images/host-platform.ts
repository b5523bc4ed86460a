import { arch } from 'node:os';
import type { Platform } from '../../spec/image.ts';

const ARCHITECTURES: Readonly<Record<string, string>> = { x64: 'amd64', ia32: '386', ppc64: 'ppc64le' };

/** The host's architecture in the OCI's words. */
export const hostArchitecture = (): string => ARCHITECTURES[arch()] ?? arch();

/** What an image is to be for when nobody says. */
export const hostPlatform = (): Platform => ({ os: 'linux', architecture: hostArchitecture() });
