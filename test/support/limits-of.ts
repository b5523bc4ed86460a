import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const ROOT = '/sys/fs/cgroup';
/** What changes by itself, or tells how a group is used and not how it is limited. */
const USE =
  /usage|stat|pressure|\.procs|threads|tasks|\.(current|events|peak)|service|failcnt|slabinfo|cgroup\.(type|freeze)/;

/**
 * Every limit of a container's control group as the kernel has it, by hierarchy and file; undefined in a hierarchy that lacks the group.
 */
export function limitsOf(id: string, parent = '/docker'): Record<string, string | undefined> {
  const found: Record<string, string | undefined> = {};
  for (const controller of readdirSync(ROOT)) {
    const dir = join(ROOT, controller, parent, id);
    if (!existsSync(dir)) found[controller] = undefined;
    else
      for (const file of readdirSync(dir)) if (!USE.test(file)) found[`${controller}/${file}`] = read(join(dir, file));
  }
  return found;
}

/** Some are only to be written. */
function read(path: string): string {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? '';
  }
}
