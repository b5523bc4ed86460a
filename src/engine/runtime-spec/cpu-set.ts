/** More than any machine has: a range cannot be made to fill the memory. */
const MAX_CPU = 8192;

/** The numbers of a list such as `0-3,5`. @throws `RangeError` in Docker's words when it is none. Source: cpuset(7), list format. */
export function parseCpuSet(text: string): Set<number> {
  const numbers = new Set<number>();
  if (text === '') return numbers;
  for (const range of text.split(',')) {
    const [, from, to] = /^(\d+)(?:-(\d+))?$/.exec(range) ?? [];
    const first = Number(from);
    const last = Number(to ?? from);
    if (from === undefined || last < first) throw new RangeError(`invalid format: ${text}`);
    if (last > MAX_CPU) throw new RangeError(`value of out range, maximum is ${MAX_CPU}`);
    for (let number = first; number <= last; number++) numbers.add(number);
  }
  return numbers;
}
