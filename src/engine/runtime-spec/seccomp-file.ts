import * as v from 'valibot';
import { list, orNull, text } from '../../spec/json.ts';
import type { OciSeccomp, OciSeccompRule } from '../../spec/oci.ts';
import { invalid, messageOf } from '../../util/errors.ts';
import { applies, type SeccompContext } from './seccomp.ts';

/** Masks that a JavaScript number cannot hold exactly are refused: the filter would be another than the one asked for. */
const whole = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const condition = () =>
  v.optional(v.nullable(v.object({ caps: list(v.string()), arches: list(v.string()), minKernel: text() })), null);

const SyscallSchema = v.object({
  name: text(),
  names: list(v.string()),
  action: v.string(),
  errnoRet: orNull(whole),
  args: list(v.object({ index: whole, value: v.optional(whole, 0), valueTwo: v.optional(whole, 0), op: v.string() })),
  includes: condition(),
  excludes: condition(),
});

/** Docker's format: OCI's with the conditions `includes` and `excludes`, and architectures with their siblings. */
const ProfileSchema = v.object({
  defaultAction: v.optional(v.string(), ''),
  defaultErrnoRet: orNull(whole),
  architectures: list(v.string()),
  archMap: list(v.object({ architecture: v.string(), subArchitectures: list(v.string()) })),
  flags: list(v.string()),
  listenerPath: text(),
  listenerMetadata: text(),
  syscalls: list(SyscallSchema),
});

type Profile = v.InferOutput<typeof ProfileSchema>;
type Syscall = v.InferOutput<typeof SyscallSchema>;

const NATIVE_ARCH: Readonly<Record<string, string>> = {
  amd64: 'SCMP_ARCH_X86_64',
  '386': 'SCMP_ARCH_X86',
  arm: 'SCMP_ARCH_ARM',
  arm64: 'SCMP_ARCH_AARCH64',
  ppc64le: 'SCMP_ARCH_PPC64LE',
  riscv64: 'SCMP_ARCH_RISCV64',
  s390x: 'SCMP_ARCH_S390X',
  loong64: 'SCMP_ARCH_LOONGARCH64',
};

/**
 * A profile as the user wrote it, JSON in Docker's format, with its conditions resolved for a container.
 *
 * @returns undefined for a profile that says nothing, which confines nothing. @throws `invalid` when it is malformed.
 */
export function seccompFromJson(json: string, context: SeccompContext): OciSeccomp | undefined {
  const profile = parse(json);
  if (profile.defaultAction === '' && profile.syscalls.length === 0) return undefined;
  const { defaultAction, defaultErrnoRet, flags, listenerPath, listenerMetadata } = profile;
  return {
    defaultAction,
    ...(defaultErrnoRet === null ? {} : { defaultErrnoRet }),
    architectures: architectures(profile, context),
    ...(flags.length === 0 ? {} : { flags }),
    ...(listenerPath === '' ? {} : { listenerPath }),
    ...(listenerMetadata === '' ? {} : { listenerMetadata }),
    syscalls: profile.syscalls.filter((call) => selected(call, context)).map(toRule),
  };
}

function parse(json: string): Profile {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch (error) {
    throw invalid(`Decoding seccomp profile failed: ${messageOf(error)}`);
  }
  // A list is an object to the schema.
  const parsed = v.safeParse(ProfileSchema, Array.isArray(value) ? undefined : value);
  if (!parsed.success) {
    const [issue] = parsed.issues;
    throw invalid(`Decoding seccomp profile failed: ${v.getDotPath(issue) ?? 'profile'}: ${issue.message}`);
  }
  if (parsed.output.architectures.length > 0 && parsed.output.archMap.length > 0) {
    throw invalid(
      "both 'architectures' and 'archMap' are specified in the seccomp profile, use either 'architectures' or 'archMap'",
    );
  }
  return parsed.output;
}

function architectures({ architectures: plain, archMap }: Profile, { host }: SeccompContext): string[] {
  if (plain.length > 0) return plain;
  const own = archMap.find(({ architecture }) => architecture === NATIVE_ARCH[host.arch]);
  return own === undefined ? [] : [own.architecture, ...own.subArchitectures];
}

function selected({ includes, excludes }: Syscall, context: SeccompContext): boolean {
  if (includes !== null && !included(includes, context)) return false;
  if (excludes === null) return true;
  const byCap = excludes.caps.some((cap) => applies({ caps: [cap] }, context));
  const byArch = excludes.arches.includes(context.host.arch);
  const byKernel = excludes.minKernel !== '' && applies({ minKernel: excludes.minKernel }, context);
  return !byCap && !byArch && !byKernel;
}

function included({ caps, arches, minKernel }: NonNullable<Syscall['includes']>, context: SeccompContext): boolean {
  return applies(
    {
      caps,
      ...(arches.length === 0 ? {} : { arches }),
      ...(minKernel === '' ? {} : { minKernel }),
    },
    context,
  );
}

function toRule({ name, names, action, errnoRet, args }: Syscall): OciSeccompRule {
  if (name !== '' && names.length > 0) {
    throw invalid("'name' and 'names' were specified in the seccomp profile, use either 'name' or 'names'");
  }
  return {
    names: name === '' ? names : [name],
    action,
    ...(errnoRet === null ? {} : { errnoRet }),
    ...(args.length === 0 ? {} : { args }),
  };
}
