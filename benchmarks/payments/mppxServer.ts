// Stock mppx as a server for the same intent, in front of the model server: arguments are its port, chain id and escrow. Prints its port.
import { randomBytes } from "node:crypto";
import { serve } from "@hono/node-server";
import { Hono } from "hono";
import { Errors, Method, Receipt } from "mppx";
import { Mppx } from "mppx/server/core";
import { type Address, type Hex, recoverTypedDataAddress, zeroAddress } from "viem";
import { sessionMethod, voucherDomain, voucherTypes } from "./sessionMethod.ts";

const [upstream, chainId, escrow, recipient] = process.argv.slice(2) as [string, string, Address, Address];
const PRICE = 1n;
const books = new Map<string, { signer: string; accepted: bigint; spent: bigint }>();
const refuse = (reason: string): never => {
  throw new Errors.VerificationFailedError({ reason });
};

const session = Method.toServer(sessionMethod, {
  async verify({ credential }) {
    const { payload, challenge } = credential;
    const { channelId } = payload;
    // The chain is not asked here: only the price of a paid request is measured.
    if (payload.action === "open") books.set(channelId, { signer: payload.authorizedSigner ?? zeroAddress, accepted: 0n, spent: 0n });
    const book = books.get(channelId) ?? refuse("channel-not-found");
    const cumulativeAmount = BigInt(payload.cumulativeAmount);
    const signer = await recoverTypedDataAddress({
      domain: voucherDomain(Number(chainId), escrow),
      types: voucherTypes,
      primaryType: "Voucher",
      message: { channelId: channelId as Hex, cumulativeAmount },
      signature: payload.signature as Hex,
    });
    if (signer.toLowerCase() !== book.signer.toLowerCase()) refuse("signer-mismatch");
    if (cumulativeAmount > book.accepted) book.accepted = cumulativeAmount;
    if (book.accepted - book.spent < PRICE) refuse("insufficient-balance");
    book.spent += PRICE;
    return Receipt.from({
      method: "evm",
      intent: "session",
      status: "success",
      timestamp: new Date().toISOString(),
      reference: channelId,
      challengeId: challenge.id,
      channelId,
      chainId: Number(chainId),
      acceptedCumulative: String(book.accepted),
      spent: String(book.spent),
    } as never);
  },
});
const payments = Mppx.create({ realm: "bench", secretKey: randomBytes(32).toString("base64"), methods: [session] });
const route = payments.evm.session({
  amount: String(PRICE),
  currency: zeroAddress,
  recipient,
  unitType: "request",
  methodDetails: { chainId: Number(chainId), escrowContract: escrow },
} as never);

const app = new Hono();
app.all("/v1/chat/completions", async (c) => {
  const checked = await route(c.req.raw.clone());
  if (checked.status === 402) return checked.challenge;
  const body = await c.req.text();
  if (body === "") return checked.withReceipt(new Response(null, { status: 204 }));
  const answer = await fetch(`http://127.0.0.1:${upstream}/v1/chat/completions`, { method: "POST", body });
  return checked.withReceipt(new Response(answer.body, { headers: { "content-type": "text/event-stream" } }));
});
serve({ fetch: app.fetch, port: 0, hostname: "127.0.0.1" }, ({ port }) => console.log(`port ${port}`));
