import { familiarString } from '../../spec/reference.ts';
import { conflict, kindOf } from '../../util/errors.ts';
import { gathered } from '../../util/gathered.ts';
import { emitContainer } from '../containers/container-events.ts';
import { mergeConfig } from '../containers/merge-config.ts';
import type { Parts } from '../containers/parts.ts';
import { pauseContainer, unpauseContainer } from '../containers/pause.ts';
import type { Tracked } from '../containers/tracked.ts';
import type { CommitOptions } from '../engine.ts';
import { applyChanges } from '../images/changes.ts';
import { commitTarget } from '../images/commit.ts';
import { layerOfChanges } from './layer-of-changes.ts';

/**
 * Makes an image of what a container changed, and gives its id. A container that runs is paused meanwhile if that is wanted.
 *
 * @throws `invalid` for a name or an instruction, before anything is done; `conflict` for a container that is going.
 */
export async function commitContainer(
  parts: Parts,
  tracked: Tracked,
  options: CommitOptions,
  signal: AbortSignal,
): Promise<string> {
  const { container } = tracked;
  refuseGoing(tracked);
  const reference = commitTarget(options.repo, options.tag);
  const config = mergeConfig(applyChanges(options.changes, options.config ?? container.config), container.config);
  await using stack = new AsyncDisposableStack();
  if (options.pause && container.state.status === 'running') await pauseFor(parts, tracked, stack);
  const either = AbortSignal.any([signal, parts.leaving]);
  const id = await parts.images.commit({
    imageId: container.imageId,
    reference,
    containerId: container.id,
    containerConfig: container.config,
    config,
    author: options.author,
    comment: options.comment,
    layer: whole(tracked, gathered(layerOfChanges(container.graph.upper, either))),
    signal: either,
  });
  const imageRef = reference === undefined ? '' : familiarString(reference);
  emitContainer(parts.events, container, 'commit', { comment: options.comment, imageID: id, imageRef });
  return id;
}

/** A container that is removed meanwhile loses its files while they are read. @throws `conflict` at the end then. */
async function* whole(tracked: Tracked, pieces: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  try {
    yield* pieces;
  } catch (error) {
    refuseGoing(tracked);
    throw error;
  }
  refuseGoing(tracked);
}

function refuseGoing({ container: { id, state } }: Tracked): void {
  if (state.status === 'dead') throw conflict(`You cannot commit container ${id} which is Dead`);
  if (state.status === 'removing') throw conflict(`You cannot commit container ${id} which is being removed`);
}

/** What ended or was paused by somebody meanwhile needs no pause of ours. */
async function pauseFor(parts: Parts, tracked: Tracked, stack: AsyncDisposableStack): Promise<void> {
  try {
    await pauseContainer(parts, tracked, true);
  } catch (error) {
    if (kindOf(error) === 'conflict') return;
    throw error;
  }
  stack.defer(async () => {
    // Thawed, or paused anew, by a person meanwhile: theirs to decide.
    if (!tracked.container.state.pausedForCommit) return;
    await unpauseContainer(parts, tracked).catch((error: unknown) => {
      if (kindOf(error) === 'conflict') return;
      parts.log.error('a container that was frozen for a commit stays so', { container: tracked.container.id, error });
    });
  });
}
