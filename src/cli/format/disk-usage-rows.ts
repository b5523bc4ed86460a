import type { BuildCacheRecord, ContainerSummary, DiskUsage, VolumeSummary } from '../../client/types.ts';
import { linesOf } from '../image-lines.ts';
import { containerRow } from './container-row.ts';
import { type ImageLine, imageRow } from './image-row.ts';
import { printRows, type RowKind } from './print-rows.ts';
import { humanDuration, humanSize } from './units.ts';

/** One line of `system df`: all objects of a kind. Sizes in bytes. */
interface UsageLine {
  type: string;
  total: number;
  active: number;
  size: number;
  reclaimable: number;
  /** Shows how much of the whole could be freed, unless there is nothing. */
  percent: boolean;
}

const sum = <T>(items: readonly T[], size: (item: T) => number): number =>
  items.reduce((bytes, item) => bytes + Math.max(0, size(item)), 0);

const runs = ({ State }: ContainerSummary): boolean => /running|paused|restarting/.test(State);

/** The four lines of `system df`. */
export function usageLines(usage: DiskUsage): UsageLine[] {
  const [images, containers, volumes] = [usage.Images ?? [], usage.Containers ?? [], usage.Volumes ?? []];
  const cache = usage.BuildCache ?? [];
  const used = images.filter((image) => image.Containers !== 0);
  const mounted = volumes.filter((volume) => (volume.UsageData?.RefCount ?? 0) > 0);
  const stopped = containers.filter((container) => !runs(container));
  const idle = volumes.filter((volume) => volume.UsageData?.RefCount === 0);
  const volumeSize = (volume: VolumeSummary): number => volume.UsageData?.Size ?? 0;
  const own = cache.filter((record) => !record.Shared);
  return [
    {
      type: 'Images',
      total: images.length,
      active: used.length,
      size: usage.LayersSize,
      reclaimable: usage.LayersSize - sum(used, (image) => (image.SharedSize < 0 ? 0 : image.Size - image.SharedSize)),
      percent: true,
    },
    {
      type: 'Containers',
      total: containers.length,
      active: containers.length - stopped.length,
      size: sum(containers, (container) => container.SizeRw ?? 0),
      reclaimable: sum(stopped, (container) => container.SizeRw ?? 0),
      percent: true,
    },
    {
      type: 'Local Volumes',
      total: volumes.length,
      active: mounted.length,
      size: sum(volumes, volumeSize),
      reclaimable: sum(idle, volumeSize),
      percent: true,
    },
    {
      type: 'Build Cache',
      total: cache.length,
      active: cache.filter((record) => record.InUse).length,
      size: sum(own, (record) => record.Size),
      reclaimable: sum(
        own.filter((record) => !record.InUse),
        (record) => record.Size,
      ),
      percent: false,
    },
  ];
}

export const USAGE_TABLE = '{{.Type}}\t{{.TotalCount}}\t{{.Active}}\t{{.Size}}\t{{.Reclaimable}}';

function reclaimable({ size, reclaimable: bytes, percent }: UsageLine): string {
  const text = humanSize(bytes, 4);
  return percent && size > 0 ? `${text} (${Math.trunc((bytes * 100) / size)}%)` : text;
}

export const usageRow: RowKind<UsageLine> = {
  goType: '*formatter.diskUsageImagesContext',
  fields: {
    Type: (line) => line.type,
    TotalCount: (line) => String(line.total),
    Active: (line) => String(line.active),
    Size: (line) => humanSize(line.size, 4),
    Reclaimable: reclaimable,
  },
  headers: { Type: 'TYPE', TotalCount: 'TOTAL', Active: 'ACTIVE', Size: 'SIZE', Reclaimable: 'RECLAIMABLE' },
};

/** The fields of a volume. */
export const volumeRow: RowKind<VolumeSummary> = {
  goType: '*formatter.volumeContext',
  fields: {
    Name: (volume) => volume.Name,
    Driver: (volume) => volume.Driver,
    Scope: (volume) => volume.Scope,
    Mountpoint: (volume) => volume.Mountpoint,
    Labels: (volume) =>
      Object.entries(volume.Labels ?? {})
        .map(([key, value]) => `${key}=${value}`)
        .join(','),
    Links: ({ UsageData }) => (UsageData ? String(UsageData.RefCount) : 'N/A'),
    Size: ({ UsageData }) => (UsageData ? humanSize(UsageData.Size, 4) : 'N/A'),
    Availability: () => 'N/A',
    Group: () => 'N/A',
    Status: () => 'N/A',
  },
  headers: { Driver: 'DRIVER', Name: 'VOLUME NAME', Links: 'LINKS', Size: 'SIZE' },
};

const since = (time: string | null | undefined): string =>
  time ? `${humanDuration(Date.now() - Date.parse(time))} ago` : '';

const cacheRow: RowKind<BuildCacheRecord> = {
  goType: '*formatter.buildCacheContext',
  fields: {
    ID: (record) => record.ID + (record.InUse ? '*' : ''),
    Parent: (record) => (record.Parents ?? []).join(', '),
    CacheType: (record) => record.Type,
    Size: (record) => humanSize(record.Size, 3),
    CreatedSince: (record) => since(record.CreatedAt),
    LastUsedSince: (record) => since(record.LastUsedAt),
    UsageCount: (record) => String(record.UsageCount),
    InUse: (record) => String(record.InUse),
    Shared: (record) => String(record.Shared),
  },
  headers: {
    ID: 'CACHE ID',
    CacheType: 'CACHE TYPE',
    Size: 'SIZE',
    CreatedSince: 'CREATED',
    LastUsedSince: 'LAST USED',
    UsageCount: 'USAGE',
    Shared: 'SHARED',
  },
};

/** A kind of object as `system df --verbose` shows it; `print` renders its rows in a format, with the table's template. */
interface Detail {
  name: 'Images' | 'Containers' | 'Volumes' | 'BuildCache';
  heading: (usage: DiskUsage) => string;
  print: (usage: DiskUsage, format: string) => string;
}

const imageLines = (usage: DiskUsage): ImageLine[] =>
  (usage.Images ?? []).flatMap((image) => linesOf(image, false, true)).map((line) => ({ ...line, digest: '' }));

/** The size of a container is its own alone here, without its image's. */
const ownSizes = (usage: DiskUsage): ContainerSummary[] =>
  (usage.Containers ?? []).map((container) => ({ ...container, SizeRootFs: 0 }));

export const DETAILS: readonly Detail[] = [
  {
    name: 'Images',
    heading: () => 'Images space usage:',
    print: (usage, format) =>
      printRows(
        imageRow(format !== 'json'),
        imageLines(usage),
        format,
        '{{.Repository}}\t{{.Tag}}\t{{.ID}}\t{{.CreatedSince}}\t{{.Size}}\t{{.SharedSize}}\t{{.UniqueSize}}\t{{.Containers}}',
      ),
  },
  {
    name: 'Containers',
    heading: () => 'Containers space usage:',
    print: (usage, format) =>
      printRows(
        containerRow(format !== 'json'),
        ownSizes(usage),
        format,
        '{{.ID}}\t{{.Image}}\t{{.Command}}\t{{.LocalVolumes}}\t{{.Size}}\t{{.RunningFor}}\t{{.Status}}\t{{.Names}}',
      ),
  },
  {
    name: 'Volumes',
    heading: () => 'Local Volumes space usage:',
    print: (usage, format) => printRows(volumeRow, usage.Volumes ?? [], format, '{{.Name}}\t{{.Links}}\t{{.Size}}'),
  },
  {
    name: 'BuildCache',
    heading: (usage) => `Build cache usage: ${humanSize(usageLines(usage)[3]?.size ?? 0, 4)}`,
    print: (usage, format) =>
      printRows(
        cacheRow,
        usage.BuildCache ?? [],
        format,
        '{{.ID}}\t{{.CacheType}}\t{{.Size}}\t{{.CreatedSince}}\t{{.LastUsedSince}}\t{{.UsageCount}}\t{{.Shared}}',
      ),
  },
];

/** The four tables of `system df --verbose`. */
export const detailTables = (usage: DiskUsage): string =>
  DETAILS.map((detail) => `${detail.heading(usage)}\n\n${detail.print(usage, '')}`).join('\n');

/** The same as data, for `--format`. */
export function detailRows(usage: DiskUsage, details: readonly Detail[]): Record<string, unknown> {
  const rows = (detail: Detail): unknown[] =>
    detail
      .print(usage, 'json')
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as unknown);
  return Object.fromEntries(details.map((detail) => [detail.name, rows(detail)]));
}
