import * as v from 'valibot';

// A specification file of the Container Device Interface, by which vendors tell engines what a device needs.
// Source: https://github.com/cncf-tags/container-device-interface, SPEC.md. A field that is not known is refused, since a
// device without it would be another than the vendor means.

const whole = () => v.pipe(v.number(), v.safeInteger());
const natural = () => v.pipe(whole(), v.minValue(0));
const strings = () => v.optional(v.array(v.string()), []);
const path = () => v.pipe(v.string(), v.startsWith('/', 'must be an absolute path'));

const DeviceNodeSchema = v.strictObject({
  path: path(),
  /** Where the host has it; the same path when missing. */
  hostPath: v.optional(path()),
  type: v.optional(v.picklist(['b', 'c', 'u', 'p'])),
  major: v.optional(whole()),
  minor: v.optional(whole()),
  fileMode: v.optional(natural()),
  permissions: v.optional(v.pipe(v.string(), v.regex(/^[rwm]*$/, 'must be made of r, w and m'))),
  uid: v.optional(natural()),
  gid: v.optional(natural()),
});

const MountSchema = v.strictObject({
  hostPath: v.pipe(v.string(), v.nonEmpty()),
  containerPath: path(),
  options: strings(),
  type: v.optional(v.string()),
});

const HookSchema = v.strictObject({
  hookName: v.picklist(['prestart', 'createRuntime', 'createContainer', 'startContainer', 'poststart', 'poststop']),
  path: path(),
  args: strings(),
  env: strings(),
  timeout: v.optional(natural()),
});

const IntelRdtSchema = v.strictObject({
  closID: v.optional(v.string()),
  l3CacheSchema: v.optional(v.string()),
  memBwSchema: v.optional(v.string()),
  enableCMT: v.optional(v.boolean()),
  enableMBM: v.optional(v.boolean()),
});

export const ContainerEditsSchema = v.strictObject({
  env: v.optional(v.array(v.pipe(v.string(), v.regex(/^[^=]+=/, 'must be NAME=VALUE'))), []),
  deviceNodes: v.optional(v.array(DeviceNodeSchema), []),
  mounts: v.optional(v.array(MountSchema), []),
  hooks: v.optional(v.array(HookSchema), []),
  additionalGids: v.optional(v.array(natural()), []),
  intelRdt: v.optional(IntelRdtSchema),
});

/** What is to be changed in a container's OCI configuration. */
export type ContainerEdits = v.InferOutput<typeof ContainerEditsSchema>;
export type CdiDeviceNode = ContainerEdits['deviceNodes'][number];

const VERSION = /^(0\.[1-8]\.0|1\.[01]\.0)$/;
/** `vendor.com/class`. */
const KIND = /^[A-Za-z]([A-Za-z0-9_.-]*[A-Za-z0-9])?\/[A-Za-z]([A-Za-z0-9_-]*[A-Za-z0-9])?$/;
const NAME = /^[A-Za-z0-9]([A-Za-z0-9_.:-]*[A-Za-z0-9])?$/;

const annotations = () => v.optional(v.record(v.string(), v.string()), {});
const none = () => ({ env: [], deviceNodes: [], mounts: [], hooks: [], additionalGids: [] });

export const CdiSpecSchema = v.strictObject({
  cdiVersion: v.pipe(v.string(), v.regex(VERSION, 'is not a version of the specification that is supported')),
  kind: v.pipe(v.string(), v.regex(KIND, 'must be VENDOR/CLASS')),
  annotations: annotations(),
  devices: v.pipe(
    v.array(
      v.strictObject({
        name: v.pipe(v.string(), v.regex(NAME, 'is not the name of a device')),
        annotations: annotations(),
        containerEdits: v.optional(ContainerEditsSchema, none),
      }),
    ),
    v.nonEmpty('there are no devices'),
    v.check((devices) => new Set(devices.map(({ name }) => name)).size === devices.length, 'two devices have one name'),
  ),
  /** For every device of the file, once. */
  containerEdits: v.optional(ContainerEditsSchema, none),
});
export type CdiSpec = v.InferOutput<typeof CdiSpecSchema>;

/** True for `vendor.com/class=name`. */
export function isCdiName(text: string): boolean {
  const at = text.indexOf('=');
  return at > 0 && KIND.test(text.slice(0, at)) && NAME.test(text.slice(at + 1));
}
