/**
 * A trigger for work that must not run twice at once: a call while it runs makes it run once more afterwards, however many calls there are. So
 * the last run has begun after the last call. Errors go to `failed`.
 */
export function rerunner(work: () => Promise<void>, failed: (error: unknown) => void): () => void {
  let wanted = false;
  let running = false;
  const run = async (): Promise<void> => {
    running = true;
    while (wanted) {
      wanted = false;
      await work().catch(failed);
    }
    running = false;
  };
  return () => {
    wanted = true;
    if (!running) run().catch(failed);
  };
}
