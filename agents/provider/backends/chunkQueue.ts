/** Items pushed by a callback, read as an async iteration. Nothing is dropped; the producer must be bounded. */
export interface ChunkQueue<T> extends AsyncIterable<T> {
  push(item: T): void;
  /** No more items follow. With an error the reader throws it, at once: items that were not read yet are dropped. */
  end(error?: unknown): void;
}

export function createChunkQueue<T>(): ChunkQueue<T> {
  const items: T[] = [];
  let ended: { error?: unknown } | undefined;
  let wake = () => {};
  return {
    push(item) {
      items.push(item);
      wake();
    },
    end(...errors) {
      ended ??= errors.length > 0 ? { error: errors[0] } : {};
      wake();
    },
    async *[Symbol.asyncIterator]() {
      for (;;) {
        if (ended && "error" in ended) throw ended.error;
        const item = items.shift();
        if (item !== undefined) yield item;
        else if (ended) return;
        else
          await new Promise<void>((resolve) => {
            wake = resolve;
          });
      }
    },
  };
}
