import { arch } from 'node:process';
import { invalid } from '../util/errors.ts';
import type { Platform } from './image.ts';

const COMPONENT = /^[A-Za-z0-9_.-]+$/;

/** Go's names of architectures that others, Node among them, call otherwise. */
const ALIASES: Record<string, string> = {
  x64: 'amd64',
  x86_64: 'amd64',
  'x86-64': 'amd64',
  ia32: '386',
  i386: '386',
  aarch64: 'arm64',
};

const SYSTEMS = ['linux', 'windows', 'darwin', 'freebsd'];
const ARCHITECTURES = ['386', 'amd64', 'arm', 'arm64', 'loong64', 'mips64', 'mips64le', 'ppc64le', 'riscv64', 's390x'];

const goName = (architecture: string): string => ALIASES[architecture] ?? architecture;

/**
 * `os/arch[/variant]`, or one of the first two, which is of or for the host then.
 *
 * @throws `invalid` in containerd's words.
 */
export function parsePlatform(text: string): Platform {
  const parts = text.split('/');
  const wrong = parts.find((part) => !COMPONENT.test(part));
  if (wrong !== undefined) {
    throw invalid(
      `${JSON.stringify(wrong)} is an invalid component of ${JSON.stringify(text)}: platform specifier component must match ${JSON.stringify(COMPONENT.source)}: invalid argument`,
    );
  }
  const [first = '', second, variant, ...rest] = parts.map((part) => part.toLowerCase());
  if (rest.length > 0) throw invalid(`${JSON.stringify(text)}: cannot parse platform specifier: invalid argument`);
  if (second === undefined) return alone(first, text);
  return { os: first, architecture: goName(second), ...(variant === undefined ? {} : { variant }) };
}

function alone(name: string, text: string): Platform {
  if (SYSTEMS.includes(name)) return { os: name, architecture: goName(arch) };
  const architecture = goName(name);
  if (ARCHITECTURES.includes(architecture)) return { os: 'linux', architecture };
  throw invalid(`${JSON.stringify(text)}: unknown operating system or architecture: invalid argument`);
}
