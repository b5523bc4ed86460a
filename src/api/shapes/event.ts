import type { EngineEvent } from '../../engine/engine.ts';

/** One line of `GET /events`; the fields of containers and images that older clients read are repeated at the top. */
export function eventLine({ type, action, actor, timeNano }: EngineEvent): string {
  const from = actor.attributes['image'];
  const old = {
    ...(type === 'container' || type === 'image' ? { status: action, id: actor.id } : {}),
    ...(type === 'container' && from !== undefined ? { from } : {}),
  };
  const event = {
    ...old,
    Type: type,
    Action: action,
    Actor: { ID: actor.id, Attributes: actor.attributes },
    scope: 'local',
    time: Number(timeNano / 1_000_000_000n),
  };
  // Nanoseconds do not fit a JavaScript number exactly.
  return `${JSON.stringify(event).slice(0, -1)},"timeNano":${timeNano}}\n`;
}
