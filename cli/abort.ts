/** Waiting that Ctrl-C ends. */

/**
 * What the promise gives, or undefined when the signal came first: then nobody waits for it any more.
 *
 * @param patience - milliseconds that it has once the signal came
 */
export async function unlessAborted<T>(
  signal: AbortSignal,
  promise: Promise<T>,
  patience = 0,
): Promise<T | undefined> {
  let stop = (): void => {};
  const aborted = new Promise<undefined>((resolve) => {
    stop = (): void => void setTimeout(() => resolve(undefined), patience).unref();
    signal.addEventListener('abort', stop, { once: true });
  });
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    signal.removeEventListener('abort', stop);
  }
}
