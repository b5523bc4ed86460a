import type { ContainerConfig, HostConfig } from '../../spec/container.ts';
import { unsupported } from '../../util/errors.ts';

/** A field that is understood and not acted on yet: accepting it would promise what is not done. */
interface Gap<T> {
  /** Named in the error, as it is in the API. */
  readonly field: string;
  readonly asked: (from: T) => boolean;
}

const some = (list: readonly unknown[] | null | undefined): boolean => (list ?? []).length > 0;

/** What the request says of the container itself; an image may ask for these too, and then they are left alone. One line a gap; it goes when the feature comes. */
const CONFIG_GAPS: readonly Gap<ContainerConfig>[] = [
  { field: 'MacAddress', asked: ({ MacAddress }) => MacAddress !== '' },
];

const HOST_GAPS: readonly Gap<HostConfig>[] = [{ field: 'Links', asked: ({ Links }) => some(Links) }];

const namesOf = (gaps: readonly { readonly field: string }[]): string[] => gaps.map(({ field }) => field);

/** The names of everything above, for the page that tells what is supported. */
export const unsupportedFields = { config: namesOf(CONFIG_GAPS), hostConfig: namesOf(HOST_GAPS) };

/** Looks at the container's own half of a request, before an image's is merged in. @throws `unsupported` naming the field. */
export function refuseUnsupportedConfig(config: ContainerConfig): void {
  refuseFirst(CONFIG_GAPS, config, '');
}

/** @throws `unsupported` naming the first field that this release does not support. */
export function refuseUnsupportedHostConfig(hostConfig: HostConfig): void {
  refuseFirst(HOST_GAPS, hostConfig, 'HostConfig.');
}

function refuseFirst<T>(gaps: readonly Gap<T>[], from: T, prefix: string): void {
  const gap = gaps.find(({ asked }) => asked(from));
  if (gap !== undefined) throw unsupported(`${prefix}${gap.field} is not supported yet by this engine`);
}
