/** Images that a container is being made of. */
export interface Pins {
  readonly pin: (imageId: string) => Disposable;
  readonly has: (imageId: string) => boolean;
}

export function openPins(): Pins {
  const counts = new Map<string, number>();
  return {
    has: (imageId) => counts.has(imageId),
    pin: (imageId) => {
      counts.set(imageId, (counts.get(imageId) ?? 0) + 1);
      let held = true;
      return {
        [Symbol.dispose]: () => {
          if (!held) return;
          held = false;
          const left = (counts.get(imageId) ?? 1) - 1;
          if (left > 0) counts.set(imageId, left);
          else counts.delete(imageId);
        },
      };
    },
  };
}
