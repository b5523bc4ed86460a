import { resolve } from 'node:path';
import { invalid } from '../../util/errors.ts';

/** `--volume` values: a bare path is an anonymous volume, anything with a source is a bind. */
export function parseVolumes(specs: readonly string[]): { binds: string[]; volumes: Record<string, object> } {
  const binds: string[] = [];
  const volumes: Record<string, object> = {};
  for (const spec of specs) {
    if (spec === '') throw invalid('invalid empty volume spec');
    const parts = spec.split(':');
    if (parts.length > 1 && parts.slice(0, 2).includes(''))
      throw invalid(`invalid spec: ${spec}: empty section between colons`);
    const [source = '', ...rest] = parts;
    if (rest.length === 0) volumes[source] = {};
    else if (/^\.{1,2}(\/|$)/.test(source)) binds.push([resolve(source), ...rest].join(':'));
    else if (source.startsWith('~')) binds.push([source, ...rest].join(':'));
    else binds.push(spec);
  }
  return { binds, volumes };
}

/** `--tmpfs` values: `/path[:options]`. */
export function parseTmpfs(specs: readonly string[]): Record<string, string> {
  return Object.fromEntries(specs.map((spec) => [spec.split(':')[0] ?? '', spec.split(':').slice(1).join(':')]));
}

const PERMISSIONS = /^[rwm]{1,3}$/;

/** One `--device` value: `host[:container][:rwm]`. */
export function parseDevice(spec: string): { PathOnHost: string; PathInContainer: string; CgroupPermissions: string } {
  const [host = '', second, third, extra] = spec.split(':');
  if (extra !== undefined) throw invalid(`bad format for path: ${spec}`);
  if (third !== undefined && !PERMISSIONS.test(third)) throw invalid(`bad mode specified: ${third}`);
  const secondIsMode = second !== undefined && third === undefined && PERMISSIONS.test(second);
  const path = second === undefined || secondIsMode ? host : second;
  if (!path.startsWith('/')) throw invalid(`bad format for path: ${path}`);
  return { PathOnHost: host, PathInContainer: path, CgroupPermissions: third ?? (secondIsMode ? second : 'rwm') };
}
