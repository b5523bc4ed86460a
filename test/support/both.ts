import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { busyboxArchive } from './busybox-archive.ts';
import { startDockerd } from './dockerd.ts';
import { startGantry } from './gantry.ts';
import type { Target } from './target.ts';

/** A named piece of behaviour that must hold for every engine that speaks Docker's API. */
export type Scenario = (target: Target) => Promise<void>;

/**
 * Runs scenarios against Gantry and against a real dockerd, one engine of each for the whole group. Both have the image
 * `busybox`. What a scenario expects is what dockerd does; a difference that is meant is said in the scenario.
 */
export function onBoth(group: string, scenarios: Record<string, Scenario>): void {
  for (const engine of ['gantry', 'dockerd'] as const) {
    const start = (): Promise<Target & AsyncDisposable> => (engine === 'gantry' ? startGantry() : startDockerd());
    describe(`${group} on ${engine}`, () => {
      const stack = new AsyncDisposableStack();
      let target: Target;
      before(async () => {
        target = stack.use(await start());
        await importBusybox(target);
      });
      after(() => stack.disposeAsync());
      for (const [name, scenario] of Object.entries(scenarios)) test(name, () => scenario(target));
    });
  }
}

/** Gives an engine the image `busybox:latest`, made of the host's static busybox. */
export async function importBusybox(target: Target): Promise<void> {
  const { code, stderr } = await target.docker(['import', '--change', 'CMD ["sh"]', '-', 'busybox'], {
    input: await busyboxArchive(),
  });
  assert.equal(code, 0, stderr);
}
