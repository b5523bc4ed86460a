/** An entry in the native protocol of systemd's journal: `NAME=value` lines, and those with newlines by their length. */
export function journalEntry(fields: Readonly<Record<string, string | Buffer>>): Buffer {
  return Buffer.concat(Object.entries(fields).flatMap(([name, value]) => field(name, Buffer.from(value as string))));
}

function field(name: string, value: Buffer): Buffer[] {
  if (!value.includes(0x0a)) return [Buffer.from(`${name}=`), value, Buffer.from('\n')];
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(value.length));
  return [Buffer.from(`${name}\n`), length, value, Buffer.from('\n')];
}
