import type { StreamState } from "@clawcompute/lib/chain";
import { signSessionProof, ZERO_HASH } from "@clawcompute/lib/protocol";
import { openStore, receipts, type Store } from "@clawcompute/lib/store";
import { createFakeClock, devAccounts } from "@clawcompute/lib/testing";
import { type LocalAccount, toHex } from "viem";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { createChainTime } from "./chainTime.ts";
import { createSharedMeters } from "./closing.ts";
import { createDraft } from "./drafting.ts";
import { createOwnMeters } from "./ownMeters.ts";
import { createSessions } from "./sessions.ts";
import { createSettlements } from "./settlement.ts";
import type { PayingStream } from "./streams.ts";

vi.setConfig({ hookTimeout: 60_000 });

const NOW = 1_800_000_000_000;
const domain = { chainId: 31337, verifyingContract: "0x00000000000000000000000000000000000000aa" } as const;
const [alice, bob, signer] = devAccounts as readonly LocalAccount[] as [LocalAccount, LocalAccount, LocalAccount];
let store: Store;
let nonce = 0n;

beforeAll(async () => {
  store = await openStore({});
});
afterAll(() => store?.close());

describe.each([
  ["replicas share", false],
  ["one process has", true],
])("a store that %s", (_, own) => {
  async function start(stream: bigint) {
    const id = stream + (own ? 100n : 0n);
    const clock = createFakeClock(NOW);
    const chainTime = createChainTime({ clock, staleAfterMs: 1e12 });
    chainTime.observe({ number: 1n, timestampMs: NOW });
    let state = { id, payer: alice.address, start: NOW / 1000, end: NOW / 1000 + 600, ratePerSecond: 1000n, providerId: 1 } as StreamState;
    const get = async () => ({ id, state, closed: new AbortController().signal }) as PayingStream;
    const streams = { get, getOpen: get, runwayMs: () => 1e6, apply: () => {}, recheck: async () => {}, followedTo: async () => {} };
    const draft = createDraft({ domain, signer });
    const counted = { db: store.db, chainId: domain.chainId, draft };
    const { journal } = store;
    const meters = own && journal ? createOwnMeters({ ...counted, journal }) : createSharedMeters(counted);
    const sessions = createSessions({ db: store.db, counting: meters, domain, streams, chainTime, clock });
    return {
      clock,
      sessions,
      settlements: createSettlements({ db: store.db, domain, signer, meters, draft }),
      terms: { id, ratePerSecond: 1000n },
      serve: (from: number, to: number) => meters.count(id, NOW + from, NOW + to),
      becomes: (changes: Partial<StreamState>) => {
        state = { ...state, ...changes };
      },
      open: async (by: LocalAccount = alice) => {
        const now = BigInt(chainTime.nowSeconds());
        const message = { streamId: id, issuedAt: now, expiresAt: now + 60n, nonce: toHex(++nonce, { size: 32 }) };
        const signature = await signSessionProof(by, domain, message);
        const times = { issuedAt: Number(message.issuedAt), expiresAt: Number(message.expiresAt), nonce: message.nonce };
        return sessions.open({ kind: "stream", streamId: String(id), chainId: domain.chainId, ...times, signature });
      },
    };
  }

  describe("createSessions", () => {
    test("behavior: a token stands for its stream, and only its hash is kept", async () => {
      const { sessions, open, terms } = await start(1n);
      const { token } = await open();
      expect(await sessions.find(token)).toEqual({
        streamId: terms.id,
        payer: alice.address.toLowerCase(),
        streamStart: NOW / 1000,
        settled: false,
      });
      expect(await sessions.find(`${token}x`)).toBeUndefined();
      const dump = await store.db.execute("select * from sessions");
      expect(JSON.stringify(dump)).not.toContain(token);
    });

    test("behavior: what a crash left unclaimed is shown to the payer once no live answer can own it", async () => {
      const { clock, open, serve } = await start(2n);
      expect(await open()).toMatchObject({ servedMs: 0, lastReceiptHash: ZERO_HASH });
      await serve(0, 4_000);
      await clock.tick(10_000);
      expect(await open()).toMatchObject({ servedMs: 0 });
      await clock.tick(60_000);
      expect(await open()).toMatchObject({ servedMs: 4_000 });
    });

    test("behavior: a payer that lost its token still gets one for a settled stream, good for the settlement only", async () => {
      const { open, settlements, terms, sessions } = await start(3n);
      const { token } = await open();
      await settlements.settle(terms);
      expect(await sessions.find(token)).toMatchObject({ settled: true });
      expect(await sessions.find((await open()).token)).toMatchObject({ settled: true });
    });

    test("behavior: an id that the chain gave to another stream begins from nothing", async () => {
      const { open, serve, settlements, terms, sessions, becomes } = await start(4n);
      const old = await open();
      await serve(0, 4_000);
      await settlements.settle(terms);
      becomes({ payer: bob.address, start: NOW / 1000 + 5 });
      expect(await open(bob)).toMatchObject({ servedMs: 0, lastReceiptHash: ZERO_HASH });
      expect(await sessions.find(old.token)).toBeUndefined();
      expect(await store.db.select().from(receipts)).toEqual([]);
      expect((await settlements.settle(terms)).settlement.owed).toBe(0n);
    });

    test("behavior: purging forgets no nonce that could still be used", async () => {
      const { clock, open, sessions } = await start(5n);
      await open();
      await sessions.purge();
      const count = async () => ((await store.db.execute("select * from nonces")) as unknown as { rows: unknown[] }).rows.length;
      const before = await count();
      expect(before).toBeGreaterThan(0);
      await clock.tick(119_000);
      await sessions.purge();
      expect(await count()).toBe(before);
      await clock.tick(3_600_000);
      await sessions.purge();
      expect(await count()).toBe(0);
    });
  });
});
