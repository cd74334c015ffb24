import { test as base, expect } from "@playwright/test";

/** A page on which errors in the console and requests that leave the machine fail the test. */
export const test = base.extend<{ strictPage: undefined }>({
  strictPage: [
    async ({ page }, use) => {
      const errors: string[] = [];
      const outside: string[] = [];
      page.on("console", (message) => {
        if (message.type() === "error") errors.push(message.text());
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
