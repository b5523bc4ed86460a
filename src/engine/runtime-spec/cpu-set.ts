/** The numbers of a list such as `0-3,5`; undefined when it is none. Source: cpuset(7), list format. */
export function parseCpuSet(text: string): Set<number> | undefined {
  const numbers = new Set<number>();
  if (text === '') return numbers;
  for (const range of text.split(',')) {
    const [, from, to] = /^(\d+)(?:-(\d+))?$/.exec(range) ?? [];
    if (from === undefined) return undefined;
    const first = Number(from);
    const last = Number(to ?? from);
    if (last < first || last > MAX_CPU) return undefined;
    for (let number = first; number <= last; number++) numbers.add(number);
  }
  return numbers;
}

/** More than any machine has: a range cannot be made to fill the memory. */
const MAX_CPU = 8192;
