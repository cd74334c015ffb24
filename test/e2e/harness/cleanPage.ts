import { test as base, expect } from "@playwright/test";

interface Strictness {
  /** Console errors that a story causes on purpose: the browser itself reports a provider that is gone, or a receipt not there yet. */
  readonly forgiven: readonly RegExp[];
  readonly strictPage: undefined;
}

/** A page on which errors in the console and requests that leave the machine fail the test. */
export const test = base.extend<Strictness>({
  forgiven: [[], { option: true }],
  strictPage: [
    async ({ page, forgiven }, use) => {
      const errors: string[] = [];
      const outside: string[] = [];
      page.on("console", (message) => {
        if (message.type() === "error" && !forgiven.some((known) => known.test(message.text()))) errors.push(message.text());
      });
      page.on("pageerror", (error) => errors.push(error.message));
      page.on("request", (request) => {
        const url = new URL(request.url());
        if (url.protocol.startsWith("http") && !["127.0.0.1", "localhost"].includes(url.hostname)) outside.push(request.url());
      });
      await use(undefined);
      expect(errors, "errors in the console").toEqual([]);
      expect(outside, "requests that leave this machine").toEqual([]);
    },
    { auto: true },
  ],
});

export { expect };
