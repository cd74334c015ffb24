/** What arrives in groups: whoever reads may take the rest of a group at once, without waiting for each of it. */
export interface Arriving<T> extends AsyncIterableIterator<T> {
  /** The next one, if it is here already. */
  ready(): T | undefined;
}

/** The members of these groups, one after another. */
export function arriving<T>(groups: AsyncIterator<readonly T[]>): Arriving<T> {
  let group: readonly T[] = [];
  let at = 0;
  const ready = () => (at < group.length ? group[at++] : undefined);
  return {
    ready,
    next: async () => {
      for (;;) {
        const value = ready();
        if (value !== undefined) return { done: false, value };
        const step = await groups.next();
        if (step.done) return { done: true, value: undefined };
        group = step.value;
        at = 0;
      }
    },
    return: async () => {
      group = [];
      await groups.return?.();
      return { done: true, value: undefined };
    },
    [Symbol.asyncIterator]() {
      return this;
    },
  };
}

/** Each of them as something else; what can be read at once still can. */
export function mapArriving<T, R>(source: AsyncIterable<T> | Arriving<T>, to: (value: T) => R): AsyncIterableIterator<R> | Arriving<R> {
  const iterator = source[Symbol.asyncIterator]();
  const mapped: AsyncIterableIterator<R> = {
    next: async () => {
      const step = await iterator.next();
      return step.done ? { done: true, value: undefined } : { done: false, value: to(step.value) };
    },
    return: async () => {
      await iterator.return?.();
      return { done: true, value: undefined };
    },
    [Symbol.asyncIterator]() {
      return this;
    },
  };
  if (!("ready" in source)) return mapped;
  return {
    ...mapped,
    ready: () => {
      const value = source.ready();
      return value === undefined ? undefined : to(value);
    },
  };
}
