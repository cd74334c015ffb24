import { costDown } from "@clawcompute/lib/money";
import { decodeSignedReceipt, hashReceipt, type SignedReceipt, ZERO_HASH } from "@clawcompute/lib/protocol";
import { findPostgres, type LocalPostgres, lossAt, recordFault, startPostgres } from "@clawcompute/lib/testing";
import { Client } from "pg";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createPayer, eventsOf, type Payer, readAnswer } from "../../agents/provider/testing/payer.ts";
import { type Relay, startBalancer } from "./harness/relay.ts";
import { type SlowModel, startSlowModel } from "./harness/slowModel.ts";
import { account, type ProviderProcess, startWorld, type World } from "./harness/world.ts";

if (!findPostgres()) console.warn("PostgreSQL is not installed (Debian: apt-get install postgresql); the replicas are not tested");

const OWNER = 1;
const PER_STREAM = 3;
const LOST_MS = 3_000;
const PLACES = 6;
const RATE = 100_000_000_000_000n;

describe.skipIf(!findPostgres())("three replicas on one PostgreSQL behind a TCP balancer", () => {
  let world: World;
  let postgres: LocalPostgres;
  let model: SlowModel;
  let replicas: ProviderProcess[];
  let balancer: Relay;
  let payer: Payer;
  let store: Client;

  beforeAll(async () => {
    [world, postgres, model] = await Promise.all([startWorld(), startPostgres(), startSlowModel()]);
    const databaseUrl = await postgres.createDatabase();
    const env = {
      DATABASE_URL: databaseUrl,
      BACKEND: "openai",
      INFERENCE_URL: model.url,
      MODEL_NAME: "m",
      PRICE_PER_SECOND: "0.0001",
      MAX_CONCURRENCY: String(PLACES),
      MAX_PER_STREAM: String(PER_STREAM),
      QUEUE_LENGTH: "0",
      QUEUE_SECONDS: "1",
      ENDPOINT_URL: "http://127.0.0.1:9/",
    };
    replicas = await Promise.all([env, env, env].map((one) => world.provider(OWNER, one)));
    balancer = await startBalancer(replicas.map(({ url }) => Number(new URL(url).port)));
    payer = createPayer(world.chain, account(5));
    store = new Client({ connectionString: databaseUrl });
    await store.connect();
  });
  afterAll(async () => {
    await store?.end();
    await balancer?.stop();
    await world?.stop();
    await model?.stop();
    await postgres?.stop();
  });

  const openSession = async (seconds = 300) => {
    const streamId = await payer.openStream({ recipient: account(OWNER).address, providerId: replicas[0]?.id ?? 0, seconds });
    return { streamId, token: (await payer.session(balancer.url, streamId)).token };
  };
  const say = (words: number) => ({ model: "m", stream: true, messages: [{ role: "user", content: String(words) }] });
  const countPlaces = async () => Number((await store.query("select count(*) from places")).rows[0].count);
  const receiptsOf = async (streamId: bigint): Promise<SignedReceipt[]> =>
    (await store.query("select signed from receipts where stream_id = $1 order by sequence", [String(streamId)])).rows.map(({ signed }) =>
      decodeSignedReceipt(signed),
    );
  const settle = async (token: string) => {
    const response = await payer.post(`${balancer.url}/v1/sessions/settle`, {}, { authorization: `Bearer ${token}` });
    return { status: response.status, body: await response.json() };
  };

  /** One unbroken chain of receipts whose sums are exact. */
  function expectChain(receipts: readonly SignedReceipt[]): void {
    let previous = ZERO_HASH;
    let servedMs = 0;
    for (const { receipt } of receipts) {
      servedMs += receipt.servedMs;
      expect(receipt).toMatchObject({
        previousReceiptHash: previous,
        cumulativeServedMs: servedMs,
        cumulativeAmount: costDown(RATE, servedMs),
      });
      previous = hashReceipt(payer.domain, receipt);
    }
  }

  test("behavior: they register one offer together, and a proof is good at one of them only", async () => {
    expect(new Set(replicas.map(({ id }) => id)).size).toBe(1);
    const streamId = await payer.openStream({ recipient: account(OWNER).address, providerId: replicas[0]?.id ?? 0 });
    const proof = await payer.proofOf(streamId);
    const answers = await Promise.all(replicas.map(({ url }) => payer.post(`${url}/v1/sessions`, proof)));
    expect(answers.map(({ status }) => status).sort()).toEqual([201, 401, 401]);
  });

  test("behavior: places are counted over all of them, for a stream and for the offer", async () => {
    const sessions = [await openSession(), await openSession(), await openSession()];
    const tokens = sessions.flatMap(({ token }) => Array.from({ length: PER_STREAM + 1 }, () => token));
    const leaving = new AbortController();
    const answers = await Promise.all(tokens.map((token) => payer.chat(balancer.url, token, say(0), { signal: leaving.signal })));
    const statuses = answers.map(({ status }) => status);
    expect(statuses.filter((status) => status === 200)).toHaveLength(PLACES);
    expect(statuses.filter((status) => status === 429)).toHaveLength(tokens.length - PLACES);
    for (const index of sessions.keys()) {
      const own = statuses.slice(index * (PER_STREAM + 1), (index + 1) * (PER_STREAM + 1));
      expect(own.filter((status) => status === 200).length).toBeLessThanOrEqual(PER_STREAM);
    }
    expect(model.most()).toBe(PLACES);
    // Each of them says what is free over all of them.
    const freeAt = async ({ url }: { readonly url: string }) => (await (await fetch(`${url}/health`)).json()).models[0].free;
    await expect.poll(() => Promise.all(replicas.map(freeAt)), { timeout: 5_000 }).toEqual(replicas.map(() => 0));
    leaving.abort();
    await expect.poll(countPlaces, { timeout: 5_000 }).toBe(0);
  });

  test("behavior: answers of one stream that end at once on all of them make one chain of receipts, each millisecond once", async () => {
    const { streamId, token } = await openSession();
    const work = Array.from({ length: PER_STREAM }, async () => {
      for (let done = 0; done < 4; done += 1) {
        const answer = await readAnswer(await payer.chat(balancer.url, token, say(3)));
        expect(answer).toMatchObject({ text: "1 2 3 ", done: true });
      }
    });
    const startedAt = performance.now();
    await Promise.all(work);
    const wallMs = performance.now() - startedAt;
    const receipts = await receiptsOf(streamId);
    expect(receipts).toHaveLength(PER_STREAM * 4);
    expectChain(receipts);
    const { body } = await settle(token);
    expect(body.servedMs).toBe(receipts.reduce((sum, { receipt }) => sum + receipt.servedMs, 0));
    expect(body.servedMs).toBeLessThanOrEqual(wallMs);
    // Settled at one of them, closed at all of them.
    const after = await Promise.all(replicas.map(({ url }) => payer.chat(url, token, say(1))));
    expect(after.map(({ status }) => status)).toEqual([409, 409, 409]);
    const again = await Promise.all([settle(token), settle(token), settle(token)]);
    expect(new Set(again.map(({ body }) => body.settlement.owed))).toEqual(new Set([body.settlement.owed]));
  });

  test("behavior: one is killed in the middle of answers: the others go on, nothing served by the others is lost, and its places come back", async () => {
    const { streamId, token } = await openSession();
    const other = await openSession();
    const victim = replicas[2] as ProviderProcess;
    const startedAt = performance.now();
    const doomed = eventsOf(await payer.chat(victim.url, token, say(0)));
    const going = readAnswer(await payer.chat(replicas[0]?.url ?? "", other.token, say(60)));
    for (let seen = 0; seen < 45; seen += 1) await doomed.next();
    const heldBefore = await countPlaces();
    await victim.kill("SIGKILL");
    const servedMs = performance.now() - startedAt;
    await expect(
      (async () => {
        for await (const _ of doomed);
      })(),
    ).rejects.toThrow();
    expect(heldBefore).toBe(2);

    // The same token is served by the others, behind the same address, whichever of them the balancer takes.
    for (let asked = 0; asked < 3; asked += 1) {
      const answer = await readAnswer(await payer.chat(balancer.url, token, say(2)));
      expect(answer).toMatchObject({ text: "1 2 ", done: true });
    }
    expect(await going).toMatchObject({ done: true });
    const receipts = await receiptsOf(streamId);
    expectChain(receipts);
    const { body } = await settle(token);
    const receipted = receipts.reduce((sum, { receipt }) => sum + receipt.servedMs, 0);
    const counted = body.servedMs - receipted;
    const lostMs = servedMs - counted;
    expect(counted).toBeLessThanOrEqual(servedMs);
    // What it had served is in the store up to its last mark, which it makes every second; a full machine adds to that.
    expect(lostMs).toBeLessThan(LOST_MS);
    expect(BigInt(body.settlement.owed)).toBe(costDown(RATE, body.servedMs));
    const { receipt } = await payer.settle({ ...body.settlement, streamId, owed: BigInt(body.settlement.owed) });
    expect(receipt.status).toBe("success");
    const ledger = await world.ledger(streamId);
    expect(ledger).toMatchObject({ paid: costDown(RATE, body.servedMs), ended: true });
    await expect.poll(async () => freePlaces(store), { timeout: 20_000, interval: 250 }).toBe(0);
    recordFault({ broken: "one of three replicas killed mid-answer", promise: "P5, kill −9", ...lossAt(RATE, lostMs, LOST_MS) });
  });
});

/** Places whose lease has not run out. */
async function freePlaces(store: Client): Promise<number> {
  const { rows } = await store.query("select count(*) from places where expires_at_ms > extract(epoch from clock_timestamp()) * 1000");
  return Number(rows[0].count);
}
