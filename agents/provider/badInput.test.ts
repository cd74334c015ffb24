import { type RouteName, routes, type SessionRequest } from "@clawcompute/lib/protocol";
import { devAccounts, type LocalChain, startLocalChain } from "@clawcompute/lib/testing";
import { type LocalAccount, toHex } from "viem";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { createEchoBackend } from "./backends/echo.ts";
import { createPayer, type Payer } from "./testing/payer.ts";
import { startProvider, type TestProvider } from "./testing/startProvider.ts";

// Real chains and stores have to start.
vi.setConfig({ hookTimeout: 60_000, testTimeout: 30_000 });

const [, owner, , payerAccount, stranger] = devAccounts as readonly LocalAccount[] as LocalAccount[] & {
  1: LocalAccount;
  3: LocalAccount;
  4: LocalAccount;
};
// Long, so that a stream that lasts too short is still open when a slow machine asks.
const MIN_RUNWAY_SECONDS = 60;
let local: LocalChain;
let provider: TestProvider;
let payer: Payer;
let streamId: bigint;
let token: string;

beforeAll(async () => {
  local = await startLocalChain({ blockTimeMs: 250 });
  const backend = createEchoBackend({ kind: "echo" });
  const offers = [
    { model: "echo", backend },
    { model: "other", backend },
  ];
  provider = await startProvider({ local, owner: owner as LocalAccount, offers, limits: { minRunwayMs: MIN_RUNWAY_SECONDS * 1000 } });
  payer = createPayer(local, payerAccount as LocalAccount);
  streamId = await open();
  token = (await payer.session(provider.url, streamId)).token;
});
afterAll(async () => {
  await provider?.stop();
  await local?.stop();
});

const open = (changes: { seconds?: number; providerId?: number } = {}) =>
  payer.openStream({ recipient: (owner as LocalAccount).address, providerId: provider.providerId(), ...changes });

async function refusal(response: Response | Promise<Response>) {
  const answer = await response;
  const { error } = await answer.json();
  return { status: answer.status, code: error.code, param: error.param, hint: error.hint, facts: error.facts, headers: answer.headers };
}
const propose = async (changes: Parameters<Payer["proofOf"]>[1] = {}, id = streamId) =>
  refusal(payer.post(`${provider.url}/v1/sessions`, await payer.proofOf(id, changes)));

describe("POST /v1/sessions", () => {
  test("error: a stream of another chain", async () => {
    expect(await propose({ chainId: 56 })).toMatchObject({
      status: 401,
      code: "wrong_chain",
      param: "chainId",
      hint: "Sign for the chain this provider serves.",
      facts: { chainId: 31337, contract: local.network.contracts.streamPay },
    });
  });

  test("error: a signature that is none", async () => {
    expect(await propose({ signature: "0x1234" })).toMatchObject({ status: 401, code: "bad_signature", param: "signature" });
    expect(await propose({ signature: "nonsense" as never })).toMatchObject({
      status: 400,
      code: "bad_request",
      param: "signature",
      hint: "Correct the field signature.",
    });
  });

  test("error: a stranger's signature", async () => {
    expect(await propose({ signWith: stranger as LocalAccount })).toMatchObject({
      status: 401,
      code: "bad_signature",
      facts: { payer: payer.account.address },
    });
  });

  test("error: a signature over other words than those sent", async () => {
    const proof = await payer.proofOf(streamId);
    const changed: SessionRequest = { ...proof, expiresAt: proof.expiresAt - 1 };
    expect(await refusal(payer.post(`${provider.url}/v1/sessions`, changed))).toMatchObject({ status: 401, code: "bad_signature" });
  });

  test("error: the same proof twice", async () => {
    const proof = await payer.proofOf(streamId);
    expect((await payer.post(`${provider.url}/v1/sessions`, proof)).status).toBe(201);
    expect(await refusal(payer.post(`${provider.url}/v1/sessions`, proof))).toMatchObject({
      status: 401,
      code: "proof_replayed",
      param: "nonce",
      hint: "Use a new random nonce for each proof.",
    });
  });

  test("error: the same nonce at the same moment", async () => {
    const nonce = toHex(7n, { size: 32 });
    const proofs = await Promise.all([payer.proofOf(streamId, { nonce }), payer.proofOf(streamId, { nonce })]);
    const statuses = await Promise.all(proofs.map(async (proof) => (await payer.post(`${provider.url}/v1/sessions`, proof)).status));
    expect(statuses.sort()).toEqual([201, 401]);
  });

  test("error: an expired proof, one from the future, one that lives too long", async () => {
    const now = Math.floor(Date.now() / 1000);
    expect(await propose({ issuedAt: now - 600 })).toMatchObject({ status: 401, code: "proof_expired", param: "expiresAt" });
    expect(await propose({ issuedAt: now + 600 })).toMatchObject({ status: 401, code: "proof_not_yet_valid", param: "issuedAt" });
    expect(await propose({ issuedAt: now, expiresAt: now + 3_600 })).toMatchObject({
      status: 400,
      code: "bad_request",
      param: "expiresAt",
    });
  });

  test("error: a stream that does not exist, or pays somebody else", async () => {
    expect(await propose({}, 999_999n)).toMatchObject({ status: 404, code: "stream_unknown", param: "streamId" });
    const elsewhere = await payer.openStream({ recipient: (stranger as LocalAccount).address, providerId: 0 });
    expect(await propose({}, elsewhere)).toMatchObject({ status: 401, code: "wrong_provider", param: "streamId" });
  });

  test("error: a stream that was cancelled", async () => {
    const id = await open();
    await payer.cancel(id);
    expect(await propose({}, id)).toMatchObject({ status: 402, code: "stream_ended", param: "streamId" });
  });

  test("error: no JSON, too much of it, a missing field", async () => {
    const url = `${provider.url}/v1/sessions`;
    expect(await refusal(payer.post(url, "{"))).toMatchObject({ status: 400, code: "bad_json" });
    expect(await refusal(payer.post(url, "x".repeat(50_000)))).toMatchObject({ status: 413, code: "body_too_large" });
    expect(await refusal(payer.post(url, { kind: "stream" }))).toMatchObject({ status: 400, code: "bad_request", param: "streamId" });
  });
});

describe("POST /v1/chat/completions", () => {
  const chat = (with_: string, body: Record<string, unknown> = { model: "echo" }) => refusal(payer.chat(provider.url, with_, body));

  test("error: no token is answered with what it takes to get one", async () => {
    const answer = await refusal(payer.post(`${provider.url}/v1/chat/completions`, {}));
    expect(answer).toMatchObject({
      status: 402,
      code: "token_missing",
      facts: {
        chainId: 31337,
        contract: local.network.contracts.streamPay,
        payee: (owner as LocalAccount).address,
        providerId: provider.providerId(),
        pricePerSecond: "100000000000000",
        models: ["echo", "other"],
      },
    });
    expect(answer.headers.get("x-should-retry")).toBe("false");
  });

  test("error: an unknown token, a malformed one", async () => {
    for (const wrong of ["A".repeat(43), "short", "'; drop table sessions; --"]) {
      expect(await chat(wrong)).toMatchObject({ status: 401, code: "token_unknown", hint: "POST /v1/sessions for a new token." });
    }
  });

  test("error: an unknown model, and one of another offer", async () => {
    for (const model of ["no-such-model", "other"]) {
      expect(await chat(token, { model })).toMatchObject({
        status: 404,
        code: "model_not_found",
        param: "model",
        facts: { model: "echo", providerId: provider.providerId() },
      });
    }
  });

  test("error: a body that is no chat", async () => {
    expect(await chat(token, { model: "echo", messages: [] })).toMatchObject({ status: 400, code: "bad_request", param: "messages" });
    expect(await chat(token, { model: "echo", max_tokens: -1 })).toMatchObject({ status: 400, code: "bad_request", param: "max_tokens" });
  });

  test("error: a stream that lasts too short for an answer", async () => {
    const { token: short } = await payer.session(provider.url, await open({ seconds: MIN_RUNWAY_SECONDS / 2 }));
    expect(await chat(short)).toMatchObject({ status: 402, code: "runway_too_short", facts: { minRunwayMs: MIN_RUNWAY_SECONDS * 1000 } });
  });

  test("error: a token whose stream was cancelled", async () => {
    const id = await open();
    const { token: dead } = await payer.session(provider.url, id);
    await payer.cancel(id);
    await vi.waitFor(async () => expect(await chat(dead)).toMatchObject({ status: 402, code: "stream_ended" }), {
      timeout: 20_000,
      interval: 50,
    });
  });

  test("error: a receipt of another stream is not shown", async () => {
    const answer = await payer.chat(provider.url, token, { model: "echo" });
    const requestId = answer.headers.get("x-request-id");
    const other = (await payer.session(provider.url, await open())).token;
    const read = (with_: string) => fetch(`${provider.url}/v1/receipts/${requestId}`, { headers: { authorization: `Bearer ${with_}` } });
    expect((await read(token)).status).toBe(200);
    expect(await refusal(read(other))).toMatchObject({ status: 404, code: "not_found", param: "requestId" });
  });
});

describe("routes", () => {
  test.each(Object.entries(routes))("behavior: %s answers as its row says", async (name, { method, path, access }) => {
    const url = provider.url + path.replace(":id", "echo").replace(":requestId", "none");
    const response = await fetch(url, {
      method,
      ...(method === "POST" ? { body: "{}", headers: { "content-type": "application/json" } } : {}),
    });
    const expected: Record<typeof access, number> = { open: 200, proof: 400, token: 402 };
    expect([name as RouteName, response.status]).toEqual([name, expected[access]]);
    expect(response.headers.get("access-control-allow-origin")).toBe("*");
    expect(response.headers.get("x-request-id")).toBeTruthy();

    const wrong = await refusal(fetch(url, { method: method === "GET" ? "POST" : "PUT" }));
    expect(wrong).toMatchObject({ status: 405, code: "method_not_allowed", facts: { allow: method } });
    const preflight = await fetch(url, {
      method: "OPTIONS",
      headers: { origin: "https://a.example", "access-control-request-method": method },
    });
    expect(preflight.status).toBe(204);
  });

  test("error: any other path says where to look", async () => {
    expect(await refusal(fetch(`${provider.url}/v2/nothing`))).toMatchObject({
      status: 404,
      code: "not_found",
      hint: expect.stringContaining("/v1/models"),
    });
  });

  test("behavior: models carry what they cost", async () => {
    const { data } = await (await fetch(`${provider.url}/v1/models`)).json();
    expect(data).toMatchObject([
      { id: "echo", object: "model", clawcompute: { providerId: provider.providerId(0), pricePerSecond: "100000000000000" } },
      { id: "other", object: "model", clawcompute: { providerId: provider.providerId(1) } },
    ]);
  });
});
