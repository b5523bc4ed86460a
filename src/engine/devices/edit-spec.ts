import type { HostFacts } from '../../kernel/host/host-facts.ts';
import type { CdiDeviceNode, ContainerEdits } from '../../spec/cdi.ts';
import type { OciDevice, OciDeviceRule, OciHooks, OciMount, OciSpec } from '../../spec/oci.ts';
import { invalid } from '../../util/errors.ts';

type Host = Pick<HostFacts, 'devicesAt'>;

/** A container's configuration with the edits made in order. @throws `invalid` for a device that the host does not have. */
export function editSpec(spec: OciSpec, edits: readonly ContainerEdits[], host: Host): OciSpec {
  return edits.reduce((edited, edit) => editOnce(edited, edit, host), spec);
}

function editOnce(spec: OciSpec, edits: ContainerEdits, host: Host): OciSpec {
  const { process, linux } = spec;
  const { user } = process;
  const nodes = edits.deviceNodes.map((node) => toNode(node, user, host));
  const gids = edits.additionalGids.filter((gid) => gid !== 0);
  return {
    ...spec,
    process: {
      ...process,
      env: replacing(process.env, edits.env, (entry) => entry.slice(0, entry.indexOf('='))),
      user: { ...user, additionalGids: [...new Set([...(user.additionalGids ?? []), ...gids])] },
    },
    mounts: withMounts(spec.mounts, edits.mounts),
    ...(edits.hooks.length === 0 ? {} : { hooks: withHooks(spec.hooks ?? {}, edits.hooks) }),
    linux: {
      ...linux,
      devices: replacing(
        linux.devices ?? [],
        nodes.map(({ device }) => device),
        ({ path }) => path,
      ),
      resources: {
        ...linux.resources,
        devices: [...(linux.resources.devices ?? []), ...nodes.flatMap(({ rule }) => rule ?? [])],
      },
      ...(edits.intelRdt === undefined ? {} : { intelRdt: edits.intelRdt }),
    },
  };
}

/** Later entries take the place of earlier ones of the same name. */
function replacing<T>(base: readonly T[], added: readonly T[], nameOf: (one: T) => string): T[] {
  return [...new Map([...base, ...added].map((one) => [nameOf(one), one])).values()];
}

function toNode({ path, hostPath = path, ...node }: CdiDeviceNode, user: OciSpec['process']['user'], host: Host) {
  const complete =
    node.type === 'p' || (node.type !== undefined && node.major !== undefined && node.minor !== undefined);
  const found = complete ? undefined : onHost(hostPath, host);
  const type = node.type === 'u' ? 'c' : (node.type ?? found?.type ?? 'c');
  const device: OciDevice = {
    path,
    type,
    major: node.major ?? found?.major ?? 0,
    minor: node.minor ?? found?.minor ?? 0,
    fileMode: node.fileMode ?? found?.mode ?? 0o666,
    uid: node.uid ?? (user.uid > 0 ? user.uid : (found?.uid ?? 0)),
    gid: node.gid ?? (user.gid > 0 ? user.gid : (found?.gid ?? 0)),
  };
  if (type === 'p') return { device, rule: undefined };
  const { major, minor } = device;
  const rule: OciDeviceRule = { allow: true, type, major, minor, access: node.permissions || 'rwm' };
  return { device, rule };
}

function onHost(path: string, host: Host) {
  const found = host.devicesAt(path);
  if (found.kind === 'device') return found.device;
  const why = found.kind === 'missing' ? 'no such file or directory' : 'not a device node';
  throw invalid(`CDI device injection failed: failed to stat CDI host device ${JSON.stringify(path)}: ${why}`);
}

function withMounts(base: readonly OciMount[], added: ContainerEdits['mounts']): OciMount[] {
  const mounts = added.map(({ hostPath, containerPath, options, type = 'bind' }) => ({
    destination: containerPath,
    type,
    source: hostPath,
    options:
      type === 'bind' && !options.some((one) => one === 'bind' || one === 'rbind') ? ['rbind', ...options] : options,
  }));
  const gone = new Set(mounts.map(({ destination }) => destination));
  const kept = base.filter(({ destination }) => !gone.has(destination));
  const depth = ({ destination }: OciMount) => destination.split('/').length;
  return mounts.length === 0 ? kept : [...kept, ...mounts].toSorted((a, b) => depth(a) - depth(b));
}

function withHooks(base: OciHooks, added: ContainerEdits['hooks']): OciHooks {
  return added.reduce<OciHooks>((hooks, { hookName, path, args, env, timeout }) => {
    const hook = { path, args, env, ...(timeout === undefined ? {} : { timeout }) };
    return { ...hooks, [hookName]: [...(hooks[hookName] ?? []), hook] };
  }, base);
}
