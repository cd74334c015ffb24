import { createdStreamId, readStream, streamEventsOf, streamPayWrites } from "@clawcompute/lib/chain";
import { devAccounts } from "@clawcompute/lib/testing";
import type { Hash, LocalAccount } from "viem";
import { chainActor } from "./harness/chainActor.ts";
import { expect, test } from "./harness/cleanPage.ts";
import { openConnected, rawIn } from "./harness/connected.ts";
import { runningNetwork } from "./harness/runningNetwork.ts";

const payer = devAccounts[15] as LocalAccount;
const payee = devAccounts[18] as LocalAccount;

test("a batch sent from the page pays its sender a thousandth of what it settles (P15)", async ({ page }) => {
  const { chain } = runningNetwork();
  // The network's own keeper works for profit: streams whose reward does not pay the gas are left to this page.
  const stream = { recipient: payee.address, durationSeconds: 3600, serviceType: 0, providerId: 0, value: 3600n * 10n ** 12n };
  const opened = await chainActor(chain, payer).send(...[0, 1, 2].map(() => streamPayWrites.createStream(stream)));
  const [a, b, left] = opened.map((receipt) => createdStreamId(receipt)) as [bigint, bigint, bigint];

  await page.goto("/keep");
  await expect(page.getByRole("checkbox", { name: `Update stream ${a}`, exact: true })).toBeVisible();
  await expect(page.getByText("Looking needs no wallet; sending does.")).toBeVisible();
  await expect(page.getByRole("button", { name: "Send the batch" })).toBeDisabled();

  const { account } = await openConnected(page, "/keep", 16);
  await page.getByRole("button", { name: "None" }).click();
  for (const id of [a, b]) await page.getByRole("checkbox", { name: `Update stream ${id}`, exact: true }).check();
  const panel = page.getByRole("region", { name: "The batch" });
  await expect(panel).toContainText("Streams2");
  await expect(panel).toContainText("The gas costs more than the reward");
  const balance = await chain.client.getBalance({ address: account.address });
  await panel.getByRole("button", { name: "Send the batch" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Send the batch" }).click();
  const sent = page.getByTestId("sent");
  await expect(sent).toContainText("2 streams updated");

  const hash = (await sent.getByTitle(/^0x[0-9a-f]{64}$/).getAttribute("title")) as Hash;
  const receipt = await chain.client.getTransactionReceipt({ hash });
  const updates = streamEventsOf(receipt, chain).filter((event) => event.eventName === "StreamUpdated");
  expect(updates.map(({ args }) => args.id)).toEqual([a, b]);
  let reward = 0n;
  for (const { args } of updates) {
    const { ratePerSecond, lastPaid, start } = await readStream(chain, args.id);
    expect(args.accrued).toBe(ratePerSecond * BigInt(lastPaid - start));
    expect(args.reward).toBe(args.accrued / 1000n);
    reward += args.reward;
  }
  expect(reward).toBeGreaterThan(0n);
  expect(await rawIn(sent)).toBe(reward);
  const gas = receipt.gasUsed * receipt.effectiveGasPrice;
  expect((await chain.client.getBalance({ address: account.address })) - balance).toBe(reward - gas);
  const untouched = await readStream(chain, left);
  expect(untouched.lastPaid).toBe(untouched.start);
  await expect(page.getByRole("region", { name: "What keepers did lately" }).first()).toBeVisible();
  await chainActor(chain, payer).send(...[a, b, left].map((id) => streamPayWrites.cancelStream(id)));
});
