// Fixed vectors of the session draft: the same values by hand (bytes and keccak only), by viem, and by the deployed code.
import assert from "node:assert/strict";
import { describe, it } from "node:test";

import { network } from "hardhat";
import {
  type Address,
  concat,
  encodeAbiParameters,
  type Hex,
  hashTypedData,
  keccak256,
  numberToHex,
  pad,
  recoverAddress,
  serializeSignature,
  stringToHex,
  toFunctionSelector,
} from "viem";
import { sign } from "viem/accounts";

import { domain, payeeTypes, voucherTypes } from "./signing.ts";
import { chainId, networkHelpers, publicClient, viem } from "./world.ts";

// The first two development accounts that every local chain publishes.
const key: Hex = "0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80";
const payer: Address = "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266";
const payee: Address = "0x70997970C51812dc3A010C7d01b50e0d17dc79C8";
const token: Address = "0x74b7f16337b8972027f6196a17a631ac6de26d22";
const signer: Address = "0x742d35cc6634c0532925a3b844bc9e7595f8fe00";
const escrow: Address = "0x1234567890abcdef1234567890abcdef12345678";
const salt: Hex = "0xaaaa1234bbbb5678cccc9012dddd3456eeee7890ffff1234aaaa5678bbbb9012";
const cumulativeAmount = 250_000n;
const nonce = 7n;
const deadline = 1_743_523_500n;

const fixed = {
  channelId: "0xada90294e4d514c7a999b460ef0cead1eacc3910262233c9eefc5c6dbde248ee",
  domainSeparator: "0x59d61fbc8b87e028973b556dda71cc9ea42c6a0d739aeb74ef97fef321e5d4b2",
  voucher: "0x9f974aa0533a3eb99781eaf835ffebd2e1fb14a67be5fed36364ced5b6223115",
  signature:
    "0xf27c57a0c553d3ad81b403e499e04f8664bf32c3d60787ff408483ec014c6d9a28e15ddc27aceaf712fa965963f050608c9d33bda931f85750c0f9d7d6a571f81b",
  settle: "0x4853488f9e9718e5025a685a585a5374c79150fac368700dff7411c2d5e2627d",
  close: "0x91c4bd01ce06362ce4250bc78ae3ea386533cb6b037124b6cab43c130f73b872",
  openNonce: "0x7a4565abbce72675bfb4d24413ec8fce92df1736863674a64b0b812e91d53eac",
  topUpNonce: "0xf1996d98e066beb664ee56b33865b1f27f8b3305d138f021c53e07fd63f4b9f3",
  openWitness: "0xb5a8cea3a3e93bcb4a1ab3e6825990284d3ec7f3444b2b8f07ae41966e8e53d1",
  topUpWitness: "0x0c61b6c0508d902c3a77e66db5e591f2862943cad7ea94ef79ede13673b62a06",
} as const satisfies Record<string, Hex>;

const word = (value: Hex | bigint): Hex => pad(typeof value === "bigint" ? numberToHex(value) : value, { size: 32 });
const hash = (...words: (Hex | bigint)[]): Hex => keccak256(concat(words.map(word)));
const typeHash = (type: string): Hex => keccak256(stringToHex(type));
const byHand = {
  channelId: (chain: bigint) => hash(payer, payee, token, salt, signer, escrow, chain),
  domain: (chain: bigint) =>
    hash(
      typeHash("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"),
      typeHash("EVM Payment Channel"),
      typeHash("1"),
      chain,
      escrow,
    ),
  digest: (chain: bigint, struct: Hex) => keccak256(concat(["0x1901", byHand.domain(chain), struct])),
  voucher: (chain: bigint) =>
    byHand.digest(chain, hash(typeHash("Voucher(bytes32 channelId,uint128 cumulativeAmount)"), byHand.channelId(chain), cumulativeAmount)),
  authorization: (kind: string) =>
    byHand.digest(
      31337n,
      hash(
        typeHash(`${kind}Authorization(bytes32 channelId,uint128 cumulativeAmount,uint256 nonce,uint256 deadline)`),
        byHand.channelId(31337n),
        cumulativeAmount,
        nonce,
        deadline,
      ),
    ),
};

/** The deployed code at a fixed address, so that every value is fixed. */
async function contract() {
  const deployed = await viem.deployContract("PaymentChannel", [token]);
  const code = await publicClient.getCode({ address: deployed.address });
  assert(code);
  await networkHelpers.setCode(escrow, code);
  return { channel: await viem.getContractAt("PaymentChannel", escrow), code };
}

describe("vectors", () => {
  describe("when computed by hand, by viem and by the contract", () => {
    it("it gives the same channel id", async () => {
      const { channel } = await contract();
      const types = ["address", "address", "address", "bytes32", "address", "address", "uint256"].map((type) => ({ type }));
      const byViem = keccak256(encodeAbiParameters(types, [payer, payee, token, salt, signer, escrow, 31337n]));
      const onChain = await channel.read.computeChannelId([payer, payee, token, salt, signer]);
      assert.deepEqual([byHand.channelId(31337n), byViem, onChain], [fixed.channelId, fixed.channelId, fixed.channelId]);
    });

    it("it gives the same voucher digest", async () => {
      const { channel } = await contract();
      assert.equal(byHand.domain(31337n), fixed.domainSeparator);
      const byViem = hashTypedData({
        domain: domain(escrow),
        types: voucherTypes,
        primaryType: "Voucher",
        message: { channelId: fixed.channelId, cumulativeAmount },
      });
      const onChain = await channel.read.voucherDigest([fixed.channelId, cumulativeAmount]);
      assert.deepEqual([byHand.voucher(31337n), byViem, onChain], [fixed.voucher, fixed.voucher, fixed.voucher]);
    });

    it("it gives the same payee authorization digests", async () => {
      const { channel } = await contract();
      const message = { channelId: fixed.channelId, cumulativeAmount, nonce, deadline };
      const byViem = (primaryType: "SettleAuthorization" | "CloseAuthorization") =>
        hashTypedData({ domain: domain(escrow), types: payeeTypes, primaryType, message });
      const args = [fixed.channelId, cumulativeAmount, nonce, deadline] as const;
      assert.deepEqual(
        [byHand.authorization("Settle"), byViem("SettleAuthorization"), await channel.read.settleDigest(args)],
        [fixed.settle, fixed.settle, fixed.settle],
      );
      assert.deepEqual(
        [byHand.authorization("Close"), byViem("CloseAuthorization"), await channel.read.closeDigest(args)],
        [fixed.close, fixed.close, fixed.close],
      );
    });

    it("it gives the same authorization nonces", async () => {
      const { channel } = await contract();
      const open = [{ type: "address" }, { type: "address" }, { type: "address" }, { type: "bytes32" }, { type: "address" }] as const;
      const openNonces = [
        hash(payer, payee, token, salt, signer),
        keccak256(encodeAbiParameters(open, [payer, payee, token, salt, signer])),
        await channel.read.openNonce([payer, payee, token, salt, signer]),
      ];
      assert.deepEqual(openNonces, [fixed.openNonce, fixed.openNonce, fixed.openNonce]);
      const topUp = [{ type: "bytes32" }, { type: "uint128" }, { type: "address" }, { type: "bytes32" }] as const;
      const topUpNonces = [
        hash(fixed.channelId, cumulativeAmount, payer, salt),
        keccak256(encodeAbiParameters(topUp, [fixed.channelId, cumulativeAmount, payer, salt])),
        await channel.read.topUpNonce([fixed.channelId, cumulativeAmount, payer, salt]),
      ];
      assert.deepEqual(topUpNonces, [fixed.topUpNonce, fixed.topUpNonce, fixed.topUpNonce]);
    });

    it("it gives the same Permit2 witnesses", async () => {
      // The contract's own are proven by the permits that viem signs in openWithPermit2 and topUpWithPermit2.
      assert.equal(
        hash(typeHash("ChannelOpenWitness(address payee,bytes32 salt,address authorizedSigner)"), payee, salt, signer),
        fixed.openWitness,
      );
      assert.equal(hash(typeHash("ChannelTopUpWitness(bytes32 channelId)"), fixed.channelId), fixed.topUpWitness);
    });

    it("it gives the same function selectors", async () => {
      const { channel, code } = await contract();
      const functions = [
        "open(address,address,uint128,bytes32,address)",
        "openWithAuthorization(address,address,uint128,bytes32,address,address,uint256,uint256,bytes32,bytes)",
        "openWithPermit2(address,address,uint128,bytes32,address,address,uint256,uint256,bytes)",
        "settle(bytes32,uint128,bytes)",
        "topUp(bytes32,uint128)",
        "topUpWithAuthorization(bytes32,uint128,address,bytes32,uint256,uint256,bytes32,bytes)",
        "topUpWithPermit2(bytes32,uint128,address,uint256,uint256,bytes)",
        "close(bytes32,uint128,bytes)",
        "requestClose(bytes32)",
        "withdraw(bytes32)",
        "settleWithAuthorization(bytes32,uint128,uint256,uint256,bytes,bytes)",
        "closeWithAuthorization(bytes32,uint128,uint256,uint256,bytes,bytes)",
        "computeChannelId(address,address,address,bytes32,address)",
        "CLOSE_GRACE_PERIOD()",
      ];
      const ours = channel.abi.filter((item) => item.type === "function").map((item) => toFunctionSelector(item));
      for (const signature of functions) {
        const selector = toFunctionSelector(`function ${signature}`);
        assert(ours.includes(selector), signature);
        assert(code.includes(selector.slice(2).replace(/^(00)+/, "")), signature);
      }
    });
  });

  describe("given the signature of a published key", () => {
    it("it recovers the signer from the fixed voucher", async () => {
      const signature = serializeSignature(await sign({ hash: fixed.voucher, privateKey: key }));
      assert.equal(signature, fixed.signature);
      assert.equal(await recoverAddress({ hash: fixed.voucher, signature }), payer);
    });
  });

  describe("given another chain", () => {
    it("it binds id and digest to that chain", async () => {
      const { code } = await contract();
      const other = await network.create({ override: { chainId: 56 } });
      try {
        await other.networkHelpers.setCode(escrow, code);
        const channel = await other.viem.getContractAt("PaymentChannel", escrow);
        const id = await channel.read.computeChannelId([payer, payee, token, salt, signer]);
        assert.equal(id, byHand.channelId(56n));
        assert.notEqual(id, fixed.channelId);
        assert.equal(await channel.read.voucherDigest([id, cumulativeAmount]), byHand.voucher(56n));
        assert.equal(chainId, 31337);
      } finally {
        await other.close();
      }
    });
  });
});
