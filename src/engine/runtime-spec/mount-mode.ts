/** How mounts made in one mount namespace travel to the other. Source: mount_namespaces(7). */
export const PROPAGATIONS: readonly string[] = ['private', 'rprivate', 'slave', 'rslave', 'shared', 'rshared'];

/** Words a bind's third field is made of, by what they decide; of each kind at most one may be given. */
const WORDS: Readonly<Record<string, readonly string[]>> = {
  access: ['ro', 'rw'],
  label: ['z', 'Z'],
  propagation: PROPAGATIONS,
  copy: ['nocopy'],
  consistency: ['consistent', 'cached', 'delegated', 'default'],
};

/** What the mode of a bind says, as in `ro,z,rslave`. */
export interface MountMode {
  readonly readOnly: boolean;
  /** Empty when none is given. */
  readonly label: '' | 'z' | 'Z';
  /** Empty when none is given. */
  readonly propagation: string;
  readonly noCopy: boolean;
}

/** Undefined for a mode that Docker does not know; an empty one is fine. */
export function parseMountMode(mode: string): MountMode | undefined {
  const words = mode === '' ? [] : mode.split(',');
  const kinds = words.map((word) => Object.keys(WORDS).find((kind) => WORDS[kind]?.includes(word)));
  if (kinds.includes(undefined) || new Set(kinds).size !== kinds.length) return undefined;
  const label = words.find((word) => word === 'z' || word === 'Z');
  return {
    readOnly: words.includes('ro'),
    label: label ?? '',
    propagation: words.find((word) => PROPAGATIONS.includes(word)) ?? '',
    noCopy: words.includes('nocopy'),
  };
}
