import type { ContainerSummary } from '../../client/types.ts';
import { shortId } from '../../util/id.ts';
import { goQuote, sortedKeys } from '../../util/template/go-print.ts';
import { displayPorts } from './display-ports.ts';
import { goTime } from './local-time.ts';
import type { RowKind } from './print-rows.ts';
import { ellipsis, humanDuration, humanSize } from './units.ts';

export const CONTAINER_TABLE =
  '{{.ID}}\t{{.Image}}\t{{.Command}}\t{{.RunningFor}}\t{{.Status}}\t{{.Ports}}\t{{.Names}}';

function imageOf({ Image, ImageID }: ContainerSummary, trunc: boolean): string {
  if (Image === '') return '<no image>';
  if (!trunc) return Image;
  if (shortId(ImageID) === shortId(Image)) return shortId(Image);
  // A tag says more than the digest beside it.
  return /^[^@]+:[^@/]+@/.test(Image) ? Image.replace(/@.*$/, '') : Image;
}

function namesOf({ Names }: ContainerSummary, trunc: boolean): string {
  const names = (Names ?? []).map((name) => name.replace(/^\//, ''));
  // Names of links have a slash inside.
  return names.filter((name) => !trunc || !name.includes('/')).join(',');
}

const mountName = (mount: { Name?: string; Source: string }) => mount.Name || mount.Source;

/** The fields of `ps`, shortened unless `trunc` is off. */
export function containerRow(trunc: boolean): RowKind<ContainerSummary> {
  return {
    goType: '*formatter.ContainerContext',
    fields: {
      ID: (c) => (trunc ? shortId(c.Id) : c.Id),
      Names: (c) => namesOf(c, trunc),
      Image: (c) => imageOf(c, trunc),
      Command: (c) => goQuote(trunc ? ellipsis(c.Command, 20) : c.Command),
      CreatedAt: (c) => goTime(c.Created),
      RunningFor: (c) => `${humanDuration(Date.now() - c.Created * 1000)} ago`,
      Ports: (c) => displayPorts(c.Ports ?? []),
      State: (c) => c.State,
      Status: (c) => c.Status,
      Size: (c) =>
        humanSize(c.SizeRw ?? 0) + ((c.SizeRootFs ?? 0) > 0 ? ` (virtual ${humanSize(c.SizeRootFs ?? 0)})` : ''),
      Labels: (c) =>
        sortedKeys(c.Labels ?? {})
          .map((key) => `${key}=${c.Labels?.[key]}`)
          .join(','),
      Mounts: (c) =>
        (c.Mounts ?? []).map((mount) => (trunc ? ellipsis(mountName(mount), 15) : mountName(mount))).join(','),
      LocalVolumes: (c) => String((c.Mounts ?? []).filter(({ Driver }) => Driver === 'local').length),
      Networks: (c) => Object.keys(c.NetworkSettings?.Networks ?? {}).join(','),
      Platform: () => null,
    },
    methods: { Label: (c) => (name) => c.Labels?.[String(name)] ?? '' },
    headers: {
      ID: 'CONTAINER ID',
      Names: 'NAMES',
      Image: 'IMAGE',
      Command: 'COMMAND',
      CreatedAt: 'CREATED AT',
      RunningFor: 'CREATED',
      Ports: 'PORTS',
      State: 'STATE',
      Status: 'STATUS',
      Size: 'SIZE',
      Labels: 'LABELS',
      Mounts: 'MOUNTS',
      LocalVolumes: 'LOCAL VOLUMES',
      Networks: 'NETWORKS',
      Platform: 'PLATFORM',
    },
  };
}
