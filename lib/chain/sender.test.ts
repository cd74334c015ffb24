import { type Hash, parseEther } from "viem";
import { generatePrivateKey, privateKeyToAccount } from "viem/accounts";
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { createRecordingLogger, devAccounts, type LocalChain, type RpcProxy, startLocalChain, startRpcProxy } from "../testing/index.ts";
import { type Chain, connectChain } from "./connect.ts";
import { listWalletOffers } from "./offers.ts";
import { createSender, type SenderOptions } from "./sender.ts";
import { streamEventsOf } from "./streams.ts";
import { registryWrites, streamPayWrites } from "./writes.ts";

vi.setConfig({ testTimeout: 30_000, hookTimeout: 30_000 });

type Account = (typeof devAccounts)[number];
const [, owner, payer, other] = devAccounts as [Account, Account, Account, Account];

let local: LocalChain;
let proxy: RpcProxy;
let chain: Chain;
let faulty: Chain;

/** Blocks come only when a test asks for them, so that nothing depends on timing. */
beforeAll(async () => {
  local = await startLocalChain({ blockTimeMs: 0 });
  proxy = await startRpcProxy(local.rpcUrl);
  const network = { ...local.network, blockTimeMs: 100 };
  chain = connectChain(network);
  faulty = connectChain({ ...network, rpcUrls: [proxy.url] }, { timeoutMs: 5_000 });
});
afterEach(() => proxy.decide(() => "pass"));
afterAll(async () => {
  await proxy?.stop();
  await local?.stop();
});

const senderOf = (account: Account, options: Partial<SenderOptions> = {}) =>
  createSender({ chain, account, logger: createRecordingLogger(), ...options });
const offer = (model: string) =>
  registryWrites.registerProvider({ model, pricePerSecond: 100n, endpoint: "http://127.0.0.1:1/", serviceType: 0 });
const stream = (value: bigint, providerId = 0) =>
  streamPayWrites.createStream({ recipient: owner.address, durationSeconds: 60, serviceType: 0, providerId, value });

/** Sends, and mines as soon as the transaction is out. */
async function sendAndMine(sender: ReturnType<typeof senderOf>, call: Parameters<typeof sender.send>[0]) {
  return sender.send(call, { onSent: () => void local.mine() });
}

describe("createSender", () => {
  it("behavior: twenty sends at once get twenty nonces, and all are mined", async () => {
    const sender = senderOf(owner);
    const nonces: number[] = [];
    let out = 0;
    const sent = Array.from({ length: 20 }, (_, index) =>
      sender.send(offer(`parallel-${index}`), {
        onPrepared: (nonce) => nonces.push(nonce),
        onSent: () => {
          out += 1;
          if (out === 20) void local.mine();
        },
      }),
    );
    const done = await Promise.all(sent);
    expect(nonces).toEqual(Array.from({ length: 20 }, (_, index) => index));
    expect(new Set(done.map(({ blockNumber }) => blockNumber)).size).toBe(1);
    expect((await listWalletOffers(chain, owner.address)).length).toBe(20);
    for (const { feeWei, gasUsed, effectiveGasPrice } of done) expect(feeWei).toBe(gasUsed * effectiveGasPrice);
  });

  it("behavior: another program that makes the same call with the same wallet at the same time gets its own transaction", async () => {
    // Nonces are shared within a process only: another endpoint stands for another process.
    const elsewhere = connectChain({ ...chain.network, rpcUrls: [local.rpcUrl.replace("127.0.0.1", "localhost")] });
    const senders = [senderOf(other), createSender({ chain: elsewhere, account: other, logger: createRecordingLogger() })];
    let out = 0;
    const onSent = () => {
      out += 1;
      if (out === 2) void local.mine();
    };
    const sent = await Promise.all(senders.map((sender) => sender.send(stream(60_000n), { onSent })));
    expect(new Set(sent.map(({ hash }) => hash)).size).toBe(2);
  });

  it("behavior: two senders of one key share its nonces", async () => {
    let out = 0;
    const onSent = () => {
      out += 1;
      if (out === 2) void local.mine();
    };
    const [a, b] = await Promise.all([
      senderOf(owner).send(offer("shared"), { onSent }),
      senderOf(owner).send(offer("shared"), { onSent }),
    ]);
    expect(a.hash).not.toBe(b.hash);
  });

  it("error: a refusal is decoded and nothing is sent", async () => {
    const [first] = await listWalletOffers(chain, owner.address);
    const before = await chain.client.getTransactionCount({ address: payer.address });
    await expect(senderOf(payer).send(stream(60n * 99n, first?.id))).rejects.toMatchObject({
      code: "STREAM_PAY_RATE_BELOW_PRICE",
      facts: { ratePerSecond: "99", pricePerSecond: "100" },
      hint: expect.stringContaining("Deposit more"),
    });
    expect(await chain.client.getTransactionCount({ address: payer.address, blockTag: "pending" })).toBe(before);
  });

  it("error: an empty wallet is told how much is missing", async () => {
    const empty = privateKeyToAccount(generatePrivateKey());
    await expect(senderOf(empty).send(offer("poor"))).rejects.toMatchObject({
      code: "WALLET_UNFUNDED",
      facts: { address: empty.address, balanceWei: "0" },
    });
    await expect(senderOf(empty).send(stream(6000n))).rejects.toMatchObject({ code: "WALLET_UNFUNDED" });
    await local.setBalance(empty.address, parseEther("1"));
    await expect(senderOf(empty).send(stream(parseEther("1")))).rejects.toMatchObject({
      code: "WALLET_UNFUNDED",
      facts: { balanceWei: String(parseEther("1")) },
      hint: expect.stringContaining(empty.address),
    });
  });

  it("behavior: raises the price of a stuck transaction until it is mined, once", async () => {
    const hashes: Hash[] = [];
    const sender = senderOf(payer, { replaceAfterMs: 50 });
    const sent = await sender.send(stream(6000n), {
      onSent: (hash) => {
        hashes.push(hash);
        if (hashes.length === 3) void local.mine();
      },
    });
    expect(hashes.length).toBeGreaterThanOrEqual(3);
    expect(hashes.slice(0, 4)).toContain(sent.hash);
    expect(sent.hash).not.toBe(hashes[0]);
    const [created] = streamEventsOf(sent.receipt);
    expect(created).toMatchObject({
      eventName: "StreamCreated",
      args: { payer: payer.address, payee: owner.address, ratePerSecond: 100n },
    });
    const first = await chain.client.getTransaction({ hash: sent.hash });
    expect(await chain.client.getTransactionCount({ address: payer.address })).toBe(first.nonce + 1);
    for (const hash of hashes.filter((hash) => hash !== sent.hash)) {
      await expect(chain.client.getTransactionReceipt({ hash })).rejects.toMatchObject({ name: "TransactionReceiptNotFoundError" });
    }
  });

  it("behavior: gives out again what the mempool has forgotten", async () => {
    const hashes: Hash[] = [];
    const sent = await senderOf(payer, { replaceAfterMs: 50 }).send(stream(6000n), {
      onSent: async (hash) => {
        hashes.push(hash);
        if (hashes.length === 1) await local.request("anvil_dropTransaction", [hash]);
        else await local.mine();
      },
    });
    expect(hashes).toContain(sent.hash);
  });

  it("behavior: waits for the network's confirmations", async () => {
    const network = { ...chain.network, confirmations: 3 };
    const blocks: bigint[] = [];
    const sender = senderOf(payer, { chain: { ...chain, network } });
    const waiting = sender.send(stream(6000n), { onSent: () => void local.mine() });
    const done = waiting.then(async () => blocks.push(await chain.client.getBlockNumber()));
    const stop = new AbortController();
    const miner = (async () => {
      while (!stop.signal.aborted) {
        await local.mine();
        await new Promise((resolve) => setImmediate(resolve));
      }
    })();
    const sent = await waiting;
    await done;
    stop.abort();
    await miner;
    expect(blocks[0]).toBeGreaterThanOrEqual(sent.blockNumber + 2n);
  });

  it("error: another program's transaction with the same nonce is TRANSACTION_REPLACED", async () => {
    const nonce = await chain.client.getTransactionCount({ address: other.address });
    const rival = await other.signTransaction({
      chainId: chain.network.chainId,
      type: "eip1559",
      nonce,
      to: payer.address,
      value: 1n,
      gas: 21_000n,
      maxFeePerGas: 900_000_000_000n,
      maxPriorityFeePerGas: 900_000_000_000n,
    });
    const sending = senderOf(other).send(stream(6000n), {
      onSent: async () => {
        await local.request("eth_sendRawTransaction", [rival]);
        await local.mine();
      },
    });
    await expect(sending).rejects.toMatchObject({ code: "TRANSACTION_REPLACED", facts: { nonce } });
  });

  it("error: aborted before it is out is ABORTED, afterwards TRANSACTION_UNCERTAIN with its hash", async () => {
    const before = await chain.client.getTransactionCount({ address: other.address });
    await expect(senderOf(other).send(stream(6000n), { signal: AbortSignal.abort() })).rejects.toMatchObject({ code: "ABORTED" });
    expect(await chain.client.getTransactionCount({ address: other.address, blockTag: "pending" })).toBe(before);
    const controller = new AbortController();
    const hashes: Hash[] = [];
    const sending = senderOf(other).send(stream(6000n), {
      signal: controller.signal,
      onSent: (hash) => {
        hashes.push(hash);
        controller.abort();
      },
    });
    await expect(sending).rejects.toMatchObject({ code: "TRANSACTION_UNCERTAIN", facts: { hashes } });
    await local.mine();
    expect((await chain.client.getTransactionReceipt({ hash: hashes[0] as Hash })).status).toBe("success");
  });
});

describe("createSender with a faulty line", () => {
  const sends = () => proxy.methods.filter((method) => method === "eth_sendRawTransaction").length;

  it("behavior: a lost reply is looked up by hash; it is not sent again", async () => {
    const before = sends();
    proxy.decide(({ method }) => (method === "eth_sendRawTransaction" ? "lose-reply" : "pass"));
    const sent = await sendAndMine(senderOf(payer, { chain: faulty }), stream(6000n));
    expect(sent.receipt.status).toBe("success");
    expect(sends() - before).toBe(1);
  });

  it("error: a lost reply that cannot be looked up is TRANSACTION_UNCERTAIN, and is not sent again", async () => {
    const before = sends();
    const nonce = await chain.client.getTransactionCount({ address: payer.address });
    proxy.decide(({ method }) => {
      if (method === "eth_sendRawTransaction") return "lose-reply";
      return method === "eth_getTransactionByHash" ? "refuse" : "pass";
    });
    const failed = await senderOf(payer, { chain: faulty, lostReplyMs: 200 })
      .send(stream(6000n))
      .catch((error) => error);
    expect(failed).toMatchObject({
      code: "TRANSACTION_UNCERTAIN",
      facts: { nonce, hashes: [expect.stringMatching(/^0x/)] },
      retryable: false,
    });
    expect(sends() - before).toBe(1);
    await local.mine();
    expect((await chain.client.getTransactionReceipt({ hash: failed.facts.hashes[0] })).status).toBe("success");
  });

  it("error: a reply lost on the way there is TRANSACTION_UNCERTAIN; the next one takes its nonce, so only one can ever be mined", async () => {
    proxy.decide(({ method }) => (method === "eth_sendRawTransaction" ? "refuse" : "pass"));
    const sender = senderOf(payer, { chain: faulty, lostReplyMs: 200 });
    const failed = await sender.send(stream(6000n)).catch((error) => error);
    expect(failed).toMatchObject({ code: "TRANSACTION_UNCERTAIN" });
    proxy.decide(() => "pass");
    const nonces: number[] = [];
    await sender.send(stream(6000n), { onPrepared: (nonce) => nonces.push(nonce), onSent: () => void local.mine() });
    expect(nonces).toEqual([failed.facts.nonce]);
  });

  it("behavior: a second endpoint takes over for one that is down", async () => {
    const both = connectChain({ ...chain.network, rpcUrls: ["http://127.0.0.1:9", proxy.url] });
    const sent = await sendAndMine(senderOf(payer, { chain: both }), stream(6000n));
    expect(sent.receipt.status).toBe("success");
  });

  it("error: no endpoint at all is CHAIN_UNAVAILABLE and may be tried again", async () => {
    const none = connectChain({ ...chain.network, rpcUrls: ["http://127.0.0.1:9"] });
    await expect(senderOf(payer, { chain: none }).send(stream(6000n))).rejects.toMatchObject({
      code: "CHAIN_UNAVAILABLE",
      retryable: true,
    });
  });

  it("behavior: an endpoint that does not answer while it waits only delays it", async () => {
    let refused = 0;
    proxy.decide(({ method }) => {
      if (method !== "eth_getTransactionReceipt" || refused >= 5) return "pass";
      refused += 1;
      return "refuse";
    });
    const sent = await sendAndMine(senderOf(payer, { chain: faulty }), stream(6000n));
    expect(sent.receipt.status).toBe("success");
    expect(refused).toBe(5);
  });

  it("error: mined and refused costs gas and names the contract's reason", async () => {
    proxy.decide(({ method }) => (method === "eth_estimateGas" ? { result: "0x30d40" } : "pass"));
    await expect(sendAndMine(senderOf(payer, { chain: faulty }), streamPayWrites.cancelStream(999_999n))).rejects.toMatchObject({
      code: "TRANSACTION_REVERTED",
      facts: { hash: expect.stringMatching(/^0x/), reason: "STREAM_PAY_UNKNOWN_STREAM" },
      hint: expect.stringContaining("Check the stream's id"),
    });
  });

  it("behavior: a nonce that the endpoint counts too low is asked for again", async () => {
    let lied = false;
    proxy.decide(async ({ method, params }, answer) => {
      if (method !== "eth_getTransactionCount" || params[1] !== "pending" || lied) return "pass";
      lied = true;
      return { result: `0x${(Number(await answer()) - 1).toString(16)}` };
    });
    const sent = await sendAndMine(senderOf(payer, { chain: faulty }), stream(6000n));
    expect(lied).toBe(true);
    expect(sent.receipt.status).toBe("success");
  });
});
