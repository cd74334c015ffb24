import type { Offer } from "@clawcompute/lib/chain";
import { zeroAddress } from "viem";
import { describe, expect, test } from "vitest";
import { planRegistration } from "./registration.ts";

const terms = { model: "m", pricePerSecond: 5n, serviceType: 0, asset: zeroAddress, endpoint: "https://gpu.example" };
const offer = (id: number, changes: Partial<Offer> = {}): Offer => ({
  id,
  owner: "0x0000000000000000000000000000000000000001",
  signer: undefined,
  active: true,
  registeredAt: 0,
  completions: 0n,
  earned: 0n,
  ...terms,
  ...changes,
});
const none = new Set<number>();

describe("planRegistration", () => {
  test("behavior: registers when the wallet offers no such model, service or asset", () => {
    const others = [
      offer(1, { model: "x" }),
      offer(2, { serviceType: 1 }),
      offer(3, { asset: "0x00000000000000000000000000000000000000ff" }),
    ];
    expect(planRegistration(terms, others, none)).toEqual({ kind: "register" });
  });

  test("behavior: reuses the newest active offer that says the same", () => {
    expect(planRegistration(terms, [offer(9), offer(4)], none)).toEqual({ kind: "reuse", id: 9 });
  });

  test.each([[{ pricePerSecond: 6n }], [{ endpoint: "https://old.example" }]])("behavior: updates what differs: %o", (changes) => {
    expect(planRegistration(terms, [offer(9, changes)], none)).toEqual({
      kind: "update",
      id: 9,
      endpoint: terms.endpoint,
      keptRemote: false,
    });
  });

  test("behavior: an active offer goes before a newer one that was switched off, which goes before a new one", () => {
    expect(planRegistration(terms, [offer(9, { active: false }), offer(4)], none)).toEqual({ kind: "reuse", id: 4 });
    expect(planRegistration(terms, [offer(9, { active: false })], none)).toMatchObject({ kind: "update", id: 9 });
  });

  test("behavior: one that we listed and somebody took off stays off, unless another one is on the market", () => {
    const off = offer(4, { active: false, pricePerSecond: 9n });
    expect(planRegistration(terms, [offer(9, { active: false }), off], none, new Set([4]))).toEqual({ kind: "leave", id: 4 });
    expect(planRegistration(terms, [offer(9), off], none, new Set([4]))).toEqual({ kind: "reuse", id: 9 });
    expect(planRegistration(terms, [off], new Set([4]), new Set([4]))).toEqual({ kind: "register" });
  });

  test("behavior: two offers of one process never share an id", () => {
    expect(planRegistration(terms, [offer(9), offer(4)], new Set([9]))).toEqual({ kind: "reuse", id: 4 });
  });

  test("behavior: an address of this machine never replaces one that others can reach", () => {
    const local = { ...terms, endpoint: "http://localhost:3001" };
    expect(planRegistration(local, [offer(9)], none)).toEqual({ kind: "reuse", id: 9 });
    expect(planRegistration({ ...local, pricePerSecond: 6n }, [offer(9)], none)).toEqual({
      kind: "update",
      id: 9,
      endpoint: "https://gpu.example",
      keptRemote: true,
    });
    expect(planRegistration(local, [offer(9, { endpoint: "http://127.0.0.1:1" })], none)).toMatchObject({
      kind: "update",
      endpoint: local.endpoint,
    });
  });
});
