/**
 * Answers that hold as long as the store does not change, by address. Everybody who asks for the same page at the same time waits for
 * one query. It is emptied when `tag` is another one, and when it has grown to `maxChars`.
 */
export class PageCache {
  readonly #pages = new Map<string, Promise<string>>();
  readonly #maxChars: number;
  #tag = "";
  #chars = 0;

  constructor(maxChars = 32_000_000) {
    this.#maxChars = maxChars;
  }

  get(tag: string, address: string, make: () => Promise<string>): Promise<string> {
    if (tag !== this.#tag || this.#chars > this.#maxChars) {
      this.#tag = tag;
      this.#chars = 0;
      this.#pages.clear();
    }
    const known = this.#pages.get(address);
    if (known) return known;
    const page = make();
    this.#pages.set(address, page);
    page.then(
      (body) => {
        if (this.#tag === tag) this.#chars += body.length + address.length;
      },
      () => {
        if (this.#pages.get(address) === page) this.#pages.delete(address);
      },
    );
    return page;
  }
}
