import { concat, keccak256, toHex } from "viem";
import { generatePrivateKey, privateKeyToAccount } from "viem/accounts";
import { expect, test } from "vitest";
import { createRecoverSigner, loadNative, recoverSigner } from "./recoverSigner.ts";

const inJs = createRecoverSigner(undefined);
const account = privateKeyToAccount(generatePrivateKey());

test.skipIf(!loadNative())("behavior: the native package and JavaScript say the same, also about what is no signature", async () => {
  for (let index = 0; index < 20; index += 1) {
    const hash = keccak256(toHex(index));
    const signature = await account.sign({ hash });
    expect([await recoverSigner(hash, signature), await inJs(hash, signature)]).toEqual([account.address, account.address]);
    const cut = signature.slice(0, 130) as typeof signature;
    const strange = [
      concat([cut, "0x00"]),
      concat([cut, "0x1d"]),
      concat([cut, "0xff"]),
      cut,
      "0x",
      toHex(0, { size: 65 }),
      concat([toHex(2n ** 256n - 1n), toHex(1, { size: 33 })]),
    ] as const;
    for (const other of strange) expect([other, await recoverSigner(hash, other)]).toEqual([other, await inJs(hash, other)]);
  }
});

test("behavior: without the package it works as well", async () => {
  const hash = keccak256("0x1234");
  expect(await inJs(hash, await account.sign({ hash }))).toBe(account.address);
  expect(await inJs(hash, "0x1234")).toBeUndefined();
});
