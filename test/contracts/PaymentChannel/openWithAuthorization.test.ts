import assert from "node:assert/strict";
import { describe, it } from "node:test";

import { encodeAbiParameters, type Hex, keccak256, zeroAddress } from "viem";

import { tokenAuthorization } from "./signing.ts";
import {
  as,
  emits,
  idOf,
  load,
  MAX_DEPOSIT,
  moves,
  opened,
  reverts,
  revertsIn,
  type Terms,
  terms,
  viem,
  type Wallet,
  type World,
} from "./world.ts";

const never = 2n ** 40n;
const addresses = [{ type: "address" }, { type: "address" }, { type: "address" }, { type: "bytes32" }, { type: "address" }] as const;
const nonceOf = (t: Terms): Hex => keccak256(encodeAbiParameters(addresses, [t.payer, t.payee, t.token, t.salt, t.authorizedSigner]));

const sign = (w: World, t: Terms, value: bigint, signer: Wallet = w.payer, name = "Dollar") =>
  tokenAuthorization({ address: t.token }, name, signer, {
    from: t.payer,
    to: w.channel.address,
    value,
    validAfter: 0n,
    validBefore: never,
    nonce: nonceOf(t),
  });

const open = (w: World, t: Terms, deposit: bigint, signature: Hex, nonce = nonceOf(t)) =>
  w.channel.write.openWithAuthorization(
    [t.payee, t.token, deposit, t.salt, t.authorizedSigner, t.payer, 0n, never, nonce, signature],
    as(w.relayer),
  );

describe("openWithAuthorization", () => {
  describe("when the asset is the native coin", () => {
    it("it reverts with NativeCoin", async () => {
      const w = await load();
      await reverts(w, open(w, terms(w, { token: zeroAddress }), 5n, "0x"), "PaymentChannel_NativeCoin", []);
    });
  });

  describe("when the nonce is not derived from the terms", () => {
    it("it reverts with NonceMismatch", async () => {
      const w = await load();
      const t = terms(w);
      const nonce = keccak256("0x01");
      await reverts(w, open(w, t, 5n, await sign(w, t, 5n), nonce), "PaymentChannel_NonceMismatch", [nonce, nonceOf(t)]);
    });
  });

  describe("when a relayer changes a term", () => {
    it("it reverts with NonceMismatch", async () => {
      const w = await load();
      const t = terms(w);
      const signature = await sign(w, t, 5n);
      const changes: Partial<Terms>[] = [
        { payee: w.relayer.account.address },
        { token: w.usd6.address },
        { salt: keccak256("0xffff02") },
        { authorizedSigner: w.relayer.account.address },
        { payer: w.stranger.account.address },
      ];
      for (const change of changes) {
        const changed = terms(w, { ...t, ...change });
        await reverts(w, open(w, changed, 5n, signature, nonceOf(t)), "PaymentChannel_NonceMismatch", [nonceOf(t), nonceOf(changed)]);
        // With the nonce that fits the change, the token refuses the signature.
        const token = await viem.getContractAt("MockToken", changed.token);
        await revertsIn(token, open(w, changed, 5n, signature), "MockToken_BadAuthorizationSignature", [changed.payer, nonceOf(changed)]);
      }
    });
  });

  describe("when a relayer changes the deposit", () => {
    it("it reverts with the token's error", async () => {
      const w = await load();
      const t = terms(w);
      const signature = await sign(w, t, 5n);
      await revertsIn(w.usd18, open(w, t, 4n, signature), "MockToken_BadAuthorizationSignature", [t.payer, nonceOf(t)]);
    });
  });

  describe("when the terms are invalid", () => {
    it("it reverts as open does", async () => {
      const w = await load();
      const nobody = terms(w, { payee: zeroAddress });
      await reverts(w, open(w, nobody, 5n, "0x"), "PaymentChannel_ZeroPayee", []);
      await reverts(w, open(w, terms(w), 0n, "0x"), "PaymentChannel_ZeroDeposit", []);
      await reverts(w, open(w, terms(w), MAX_DEPOSIT + 1n, "0x"), "PaymentChannel_DepositOverflow", [MAX_DEPOSIT + 1n, MAX_DEPOSIT]);
    });
  });

  describe("given a channel of these terms exists", () => {
    it("it reverts with ChannelAlreadyExists", async () => {
      const w = await load();
      const c = await opened(w, 5n);
      await reverts(w, open(w, c.terms, 5n, await sign(w, c.terms, 5n)), "PaymentChannel_ChannelAlreadyExists", [c.id]);
    });
  });

  describe("when the token delivers less than asked", () => {
    it("it reverts with DeliveredLess", async () => {
      const w = await load();
      const t = terms(w, { token: w.fee.address });
      await reverts(w, open(w, t, 1000n, await sign(w, t, 1000n, w.payer, "Fee")), "PaymentChannel_DeliveredLess", [990n, 1000n]);
    });
  });

  describe("when the authorization is the payer's", () => {
    describe("when the payer is a key", () => {
      it("it opens the payer's channel at the relayer's cost", async () => {
        const w = await load();
        const t = terms(w);
        const id = await idOf(w.channel, t);
        const signature = await sign(w, t, 5n);
        const hash = await moves(
          w,
          w.dollar,
          [
            [t.payer, -5n],
            [w.relayer.account.address, 0n],
            [w.channel.address, 5n],
          ],
          () => open(w, t, 5n, signature),
        );
        await emits(hash, w.channel, [["ChannelOpened", { channelId: id, ...t, deposit: 5n }]]);
        assert.equal((await w.channel.read.getChannel([id])).payer, t.payer);
        await reverts(w, open(w, t, 5n, signature), "PaymentChannel_ChannelAlreadyExists", [id]);
      });
    });

    describe("when the payer is a contract wallet", () => {
      it("it opens the wallet's channel", async () => {
        const w = await load();
        const wallet = await viem.deployContract("ContractWallet", [w.payer.account.address]);
        await w.usd18.write.mint([wallet.address, 9n]);
        const t = terms(w, { payer: wallet.address });
        await moves(
          w,
          w.dollar,
          [
            [t.payer, -5n],
            [w.channel.address, 5n],
          ],
          async () => open(w, t, 5n, await sign(w, t, 5n)),
        );
        assert.equal((await w.channel.read.getChannel([await idOf(w.channel, t)])).payer, t.payer);
      });
    });
  });
});
