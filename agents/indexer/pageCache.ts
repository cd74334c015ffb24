type Body = Buffer<ArrayBuffer>;

/**
 * Answers that hold as long as the store does not change, by address. Everybody who asks for the same page at the same time waits for
 * one query. It is emptied when `tag` is another one, and when it has grown to `maxBytes`.
 */
export class PageCache {
  readonly #pages = new Map<string, Promise<Body>>();
  readonly #maxBytes: number;
  #tag = "";
  #bytes = 0;

  constructor(maxBytes = 32_000_000) {
    this.#maxBytes = maxBytes;
  }

  get(tag: string, address: string, make: () => Promise<Body>): Promise<Body> {
    if (tag !== this.#tag || this.#bytes > this.#maxBytes) {
      this.#tag = tag;
      this.#bytes = 0;
      this.#pages.clear();
    }
    const known = this.#pages.get(address);
    if (known) return known;
    const page = make();
    this.#pages.set(address, page);
    page.then(
      ({ length }) => {
        if (this.#tag === tag) this.#bytes += length + address.length;
      },
      () => {
        if (this.#pages.get(address) === page) this.#pages.delete(address);
      },
    );
    return page;
  }
}
