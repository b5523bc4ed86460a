import type { Events, Image } from '../engine.ts';

/** Announces what happened to an image as Docker does: `name` and the image's labels, the name winning. */
export function emitImage(events: Events, action: string, id: string, name: string, image: Image | undefined): void {
  const attributes = { ...image?.config.config.Labels, name };
  events.emit({ type: 'image', action, actor: { id, attributes } });
}
