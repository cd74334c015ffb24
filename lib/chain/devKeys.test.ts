import { describe, expect, it } from "vitest";
import { chainParametersOf } from "../config/network.ts";
import { devAccounts } from "../testing/index.ts";
import { isDevKey, refuseDevKeyOnPublicChain } from "./devKeys.ts";

const stranger = "0x000000000000000000000000000000000000dEaD";

describe("isDevKey", () => {
  it("behavior: knows every account of the development phrase, in any letter case", () => {
    for (const { address } of devAccounts) expect(isDevKey(address.toLowerCase() as `0x${string}`)).toBe(true);
    expect(isDevKey(stranger)).toBe(false);
  });
});

describe("refuseDevKeyOnPublicChain", () => {
  const [dev] = devAccounts as [(typeof devAccounts)[number]];

  it("error: a development key on a public chain", () => {
    const refused = expect.objectContaining({ code: "DEV_KEY_ON_PUBLIC_CHAIN" });
    for (const name of ["bsc", "bsc-testnet"])
      expect(() => refuseDevKeyOnPublicChain(chainParametersOf({ name }), dev.address)).toThrow(refused);
  });

  it("behavior: allows it locally, and any other key everywhere", () => {
    refuseDevKeyOnPublicChain(chainParametersOf({ name: "local" }), dev.address);
    refuseDevKeyOnPublicChain(chainParametersOf({ name: "bsc" }), stranger);
  });
});
