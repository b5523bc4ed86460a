import { shortId } from '../../util/id.ts';
import { goTime } from './local-time.ts';
import type { RowKind } from './print-rows.ts';
import { humanDuration, humanSize } from './units.ts';

/** One line of `images`: a tag, or a digest without tag, or an image without both. */
export interface ImageLine {
  id: string;
  repository: string;
  tag: string;
  digest: string;
  created: number;
  size: number;
  virtualSize: number;
  /** Known to `system df` only. */
  containers?: number;
  sharedSize?: number | undefined;
  uniqueSize?: number | undefined;
}

const orUnknown = (value: number | undefined, show: (value: number) => string): string =>
  value === undefined ? 'N/A' : show(value);
const exactSize = (size: number): string => humanSize(size, 4);

export const IMAGE_TABLE =
  '{{.Repository}}\t{{.Tag}}\t{{.ID}}\t{{if .CreatedSince }}{{.CreatedSince}}{{else}}N/A{{end}}\t{{.Size}}';
export const DIGEST_TABLE = IMAGE_TABLE.replace('{{.Tag}}', '{{.Tag}}\t{{.Digest}}');

export function imageRow(trunc: boolean): RowKind<ImageLine> {
  return {
    goType: '*formatter.imageContext',
    fields: {
      ID: (i) => (trunc ? shortId(i.id) : i.id),
      Repository: (i) => i.repository,
      Tag: (i) => i.tag,
      Digest: (i) => i.digest,
      CreatedSince: (i) => (i.created < 0 ? '' : `${humanDuration(Date.now() - i.created * 1000)} ago`),
      CreatedAt: (i) => goTime(i.created),
      Size: (i) => humanSize(i.size),
      Containers: (i) => orUnknown(i.containers, String),
      SharedSize: (i) => orUnknown(i.sharedSize, exactSize),
      UniqueSize: (i) => orUnknown(i.uniqueSize, exactSize),
      VirtualSize: (i) => humanSize(i.virtualSize, 4),
    },
    headers: {
      ID: 'IMAGE ID',
      Repository: 'REPOSITORY',
      Tag: 'TAG',
      Digest: 'DIGEST',
      CreatedSince: 'CREATED',
      CreatedAt: 'CREATED AT',
      Size: 'SIZE',
      Containers: 'CONTAINERS',
      SharedSize: 'SHARED SIZE',
      UniqueSize: 'UNIQUE SIZE',
      VirtualSize: 'SIZE',
    },
  };
}
