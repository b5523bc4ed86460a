function isZero(value: unknown): boolean {
  if (value === null || value === undefined || value === '' || value === 0 || value === false) return true;
  return typeof value === 'object' && Object.keys(value).length === 0;
}

/** A copy without those of the named fields that have their zero value, as Go's `omitempty` does. */
export function omitZero<T extends object, K extends keyof T & string>(
  value: T,
  names: readonly K[],
): Omit<T, K> & Partial<Pick<T, K>> {
  const drop = new Set<string>(names.filter((name) => isZero(value[name])));
  return Object.fromEntries(Object.entries(value).filter(([name]) => !drop.has(name))) as Omit<T, K> &
    Partial<Pick<T, K>>;
}
