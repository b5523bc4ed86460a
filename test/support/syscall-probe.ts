/** Calls that end the process, fork it, wait for ever, touch the whole host or ask who else runs, whatever their arguments. */
const SKIPPED = new Set([15, 34, 57, 58, 60, 62, 153, 162, 231]);

/** Numbers of Linux on x86-64: the old table, and the one all architectures share since 5.1. */
export const SYSCALLS: readonly number[] = [...range(0, 334), ...range(424, 462)].filter((nr) => !SKIPPED.has(nr));

const BASE = 0x400000;
const HEADERS = 64 + 56;
const RESULTS = 0x600000;

function range(from: number, to: number): number[] {
  return Array.from({ length: to - from + 1 }, (_, n) => from + n);
}

function withInt(opcode: readonly number[], value: number): Buffer {
  const bytes = Buffer.alloc(opcode.length + 4);
  bytes.set(opcode);
  bytes.writeInt32LE(value, opcode.length);
  return bytes;
}

/** Every argument -1: no valid pointer, descriptor, flag or id, so that nothing comes of a call that is let through. */
const ARGUMENTS = Buffer.concat(
  [
    [0x48, 0xc7, 0xc7], // mov rdi, -1
    [0x48, 0xc7, 0xc6], // mov rsi, -1
    [0x48, 0xc7, 0xc2], // mov rdx, -1
    [0x49, 0xc7, 0xc2], // mov r10, -1
    [0x49, 0xc7, 0xc0], // mov r8, -1
    [0x49, 0xc7, 0xc1], // mov r9, -1
  ].map((opcode) => withInt(opcode, -1)),
);
const SYSCALL = Buffer.from([0x0f, 0x05]);

function code(): Buffer {
  const calls = SYSCALLS.flatMap((nr, index) => [
    ARGUMENTS,
    withInt([0xb8], nr), // mov eax, nr
    SYSCALL,
    withInt([0x89, 0x83], 4 * index), // mov [rbx + 4 * index], eax
  ]);
  return Buffer.concat([
    withInt([0x48, 0xc7, 0xc3], RESULTS), // mov rbx, RESULTS
    ...calls,
    withInt([0xbf], 1), // write(1, rbx, …)
    Buffer.from([0x48, 0x89, 0xde]),
    withInt([0xba], 4 * SYSCALLS.length),
    withInt([0xb8], 1),
    SYSCALL,
    withInt([0xbf], 0), // exit_group(0)
    withInt([0xb8], 231),
    SYSCALL,
  ]);
}

/**
 * A static program for x86-64 Linux that makes every system call of {@link SYSCALLS} and writes what each returned, as 32-bit
 * little-endian integers in the same order. It shows from inside which calls a seccomp profile lets through.
 */
export function syscallProbe(): Buffer {
  const text = code();
  const size = HEADERS + text.length;
  const elf = Buffer.alloc(HEADERS);
  elf.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
  elf.writeUInt16LE(2, 16); // ET_EXEC
  elf.writeUInt16LE(62, 18); // EM_X86_64
  elf.writeUInt32LE(1, 20);
  elf.writeBigUInt64LE(BigInt(BASE + HEADERS), 24); // entry
  elf.writeBigUInt64LE(64n, 32); // program headers
  elf.writeUInt16LE(64, 52);
  elf.writeUInt16LE(56, 54);
  elf.writeUInt16LE(1, 56);
  elf.writeUInt32LE(1, 64); // PT_LOAD
  elf.writeUInt32LE(7, 68); // rwx
  elf.writeBigUInt64LE(BigInt(BASE), 80);
  elf.writeBigUInt64LE(BigInt(BASE), 88);
  elf.writeBigUInt64LE(BigInt(size), 96);
  elf.writeBigUInt64LE(BigInt(RESULTS - BASE + 4 * SYSCALLS.length), 104); // memory: up to the end of the results
  elf.writeBigUInt64LE(0x1000n, 112);
  return Buffer.concat([elf, text]);
}

/** What the probe printed: the error number of each call, 0 where it succeeded. */
export function syscallErrors(output: Buffer): Map<number, number> {
  if (output.length !== 4 * SYSCALLS.length) throw new Error(`the probe printed ${output.length} bytes`);
  return new Map(
    SYSCALLS.map((nr, index) => {
      const result = output.readInt32LE(4 * index);
      return [nr, result < 0 && result > -4096 ? -result : 0];
    }),
  );
}
