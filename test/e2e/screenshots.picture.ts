import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { connectedChat, offerOf } from "./harness/chatPage.ts";
import { expect, test } from "./harness/cleanPage.ts";

const folder = process.env.SCREENSHOTS;
test.skip(!folder, "only by npm run screenshots");

for (const [theme, account] of [
  ["light", 10],
  ["dark", 11],
] as const) {
  test.describe(theme, () => {
    test.use({ viewport: { width: 1280, height: 800 }, colorScheme: theme });
    test(`pictures of the market and the chat, ${theme}`, async ({ page }) => {
      mkdirSync(folder as string, { recursive: true });
      const shot = (name: string) => page.screenshot({ path: join(folder as string, `${name}-${theme}.jpg`), type: "jpeg", quality: 82 });
      await page.goto("/");
      await expect(page.getByText(/Ready/).first()).toBeVisible();
      await shot("market");
      const chat = await connectedChat(page, account, (await offerOf("claw-tiny-1")).id);
      await chat.open("What is your name?");
      await expect(page.getByText("Receipt checked")).toBeVisible();
      await shot("chat");
    });
  });
}
