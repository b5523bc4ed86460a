import type { Events } from '../engine.ts';
import type { Container } from './model.ts';

/** Tells the world what happened to a container, with the attributes every container event carries: labels, image, name. */
export function emitContainer(
  events: Events,
  container: Container,
  action: string,
  attributes: Readonly<Record<string, string>> = {},
): void {
  const { Labels, Image } = container.config;
  events.emit({
    type: 'container',
    action,
    actor: { id: container.id, attributes: { ...Labels, ...attributes, image: Image, name: container.name } },
  });
}

/** `connect` and `disconnect` of a network, one for each network the container is on. */
export function emitNetworks(events: Events, container: Container, action: 'connect' | 'disconnect'): void {
  for (const [name, endpoint] of Object.entries(container.endpoints)) {
    const type = name === 'none' ? 'null' : name === 'host' ? 'host' : 'bridge';
    events.emit({
      type: 'network',
      action,
      actor: { id: endpoint.networkId, attributes: { container: container.id, name, type } },
    });
  }
}

/** Tells of every volume a container takes or leaves. */
export function emitVolumes(events: Events, { id, mounts }: Container, action: 'mount' | 'unmount'): void {
  for (const { type, name, driver, destination, rw, propagation } of mounts) {
    if (type !== 'volume') continue;
    const how = { destination, 'read/write': String(rw), propagation };
    const attributes = { driver, container: id, ...(action === 'mount' ? how : {}) };
    events.emit({ type: 'volume', action, actor: { id: name, attributes } });
  }
}
