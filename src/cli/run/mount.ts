import { resolve } from 'node:path';
import { bytes } from '../flags/values.ts';
import { csvFields } from './csv-fields.ts';

/** A `HostConfig.Mounts` entry, with only the parts that were asked for. */
export interface Mount {
  Type: string;
  Source?: string;
  Target?: string;
  ReadOnly?: boolean;
  Consistency?: string;
  BindOptions?: Record<string, unknown>;
  VolumeOptions?: {
    NoCopy?: boolean;
    Labels?: Record<string, string>;
    Subpath?: string;
    DriverConfig?: { Name?: string; Options?: Record<string, string> };
  };
  ImageOptions?: { Subpath: string };
  TmpfsOptions?: { SizeBytes?: number; Mode?: number };
}

const FLAGS = new Set(['readonly', 'ro', 'volume-nocopy', 'bind-nonrecursive', 'bind-create-src']);

function truth(key: string, value: string | undefined): boolean {
  if (value === undefined || value === 'true' || value === '1') return true;
  if (value === 'false' || value === '0') return false;
  throw new Error(`invalid value for ${key}: ${value}`);
}

function keyed(text: string): [string, string] {
  const at = text.indexOf('=');
  return at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at + 1)];
}

type Setter = (mount: Mount, value: string) => void;

const volumeOptions = (mount: Mount) => {
  mount.VolumeOptions ??= {};
  return mount.VolumeOptions;
};

const driverConfig = (mount: Mount) => {
  const options = volumeOptions(mount);
  options.DriverConfig ??= {};
  return options.DriverConfig;
};

const bind = (mount: Mount, values: Record<string, unknown>) => {
  mount.BindOptions = { ...mount.BindOptions, ...values };
};

const recursive: Setter = (mount, value) => {
  const options: Record<string, Record<string, unknown>> = {
    enabled: {},
    disabled: { NonRecursive: true },
    writable: { ReadOnlyNonRecursive: true },
    readonly: { ReadOnlyForceRecursive: true },
  };
  const chosen = options[value];
  if (chosen === undefined) {
    throw new Error(
      `invalid value for bind-recursive: ${value} (must be "enabled", "disabled", "writable", or "readonly")`,
    );
  }
  bind(mount, chosen);
};

const SETTERS: Readonly<Record<string, Setter>> = {
  type: (mount, value) => {
    mount.Type = value.toLowerCase();
  },
  source: (mount, value) => {
    mount.Source = /^\.{1,2}(\/|$)/.test(value) ? resolve(value) : value;
  },
  target: (mount, value) => {
    mount.Target = value;
  },
  readonly: (mount, value) => {
    mount.ReadOnly = truth('readonly', value || undefined);
  },
  consistency: (mount, value) => {
    mount.Consistency = value.toLowerCase();
  },
  'bind-propagation': (mount, value) => bind(mount, { Propagation: value.toLowerCase() }),
  'bind-nonrecursive': (mount, value) => bind(mount, { NonRecursive: truth('bind-nonrecursive', value || undefined) }),
  'bind-create-src': (mount, value) => bind(mount, { CreateMountpoint: truth('bind-create-src', value || undefined) }),
  'bind-recursive': recursive,
  'volume-subpath': (mount, value) => {
    volumeOptions(mount).Subpath = value;
  },
  'volume-nocopy': (mount, value) => {
    volumeOptions(mount).NoCopy = truth('volume-nocopy', value || undefined);
  },
  'volume-label': (mount, value) => {
    const options = volumeOptions(mount);
    const [key, label] = keyed(value);
    options.Labels = { ...options.Labels, [key]: label };
  },
  'volume-driver': (mount, value) => {
    driverConfig(mount).Name = value;
  },
  'volume-opt': (mount, value) => {
    const config = driverConfig(mount);
    const [key, option] = keyed(value);
    config.Options = { ...config.Options, [key]: option };
  },
  'image-subpath': (mount, value) => {
    mount.ImageOptions = { Subpath: value };
  },
  'tmpfs-size': (mount, value) => {
    try {
      mount.TmpfsOptions = { ...mount.TmpfsOptions, SizeBytes: bytes(value) };
    } catch {
      throw new Error(`invalid value for tmpfs-size: ${value}`);
    }
  },
  'tmpfs-mode': (mount, value) => {
    if (!/^[0-7]+$/.test(value)) throw new Error(`invalid value for tmpfs-mode: ${value}`);
    mount.TmpfsOptions = { ...mount.TmpfsOptions, Mode: Number.parseInt(value, 8) };
  },
};

const ALIASES: Readonly<Record<string, string>> = {
  src: 'source',
  dst: 'target',
  destination: 'target',
  ro: 'readonly',
};

/** Reads a `--mount` value. @throws an Error with Docker's reason. */
export function parseMount(raw: string): Mount {
  const mount: Mount = { Type: 'volume' };
  for (const field of csvFields(raw.trim())) {
    const at = field.indexOf('=');
    const key = (at < 0 ? field : field.slice(0, at)).toLowerCase();
    if (at < 0 && !FLAGS.has(key)) throw new Error(`invalid field '${field}' must be a key=value pair`);
    const setter = SETTERS[ALIASES[key] ?? key];
    if (setter === undefined) throw new Error(`unexpected key '${key}' in '${field}'`);
    setter(mount, at < 0 ? '' : field.slice(at + 1));
  }
  if (mount.Type === '') throw new Error('type is required');
  if (mount.Target === undefined || mount.Target === '') throw new Error('target is required');
  checkOptions(mount);
  return mount;
}

function checkOptions(mount: Mount): void {
  const wrong = (option: string, type: string) =>
    new Error(`cannot mix '${option}-*' options with mount type '${type}'`);
  if (mount.VolumeOptions !== undefined && mount.Type !== 'volume') throw wrong('volume', mount.Type);
  if (mount.ImageOptions !== undefined && mount.Type !== 'image') throw wrong('image', mount.Type);
  if (mount.BindOptions !== undefined && mount.Type !== 'bind') throw wrong('bind', mount.Type);
  if (mount.TmpfsOptions !== undefined && mount.Type !== 'tmpfs') throw wrong('tmpfs', mount.Type);
}
