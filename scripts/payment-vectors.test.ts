import { readFileSync } from "node:fs";
import { paymentChannelAbi } from "@clawcompute/lib/abi";
import {
  decodeCredential,
  decodeNeedVoucher,
  decodePaymentReceipt,
  findSessionChallenge,
  readSessionTerms,
} from "@clawcompute/lib/protocol/payments";
import {
  type Address,
  concat,
  decodeFunctionData,
  encodeAbiParameters,
  type Hex,
  keccak256,
  numberToHex,
  recoverAddress,
  stringToHex,
} from "viem";
import { expect, test } from "vitest";
import { document, makeVectors, type Vectors, vectorsFile, withExample, workedExample } from "./payment-vectors.ts";

const vectors = JSON.parse(readFileSync(vectorsFile, "utf8")) as Vectors;

test("behavior: document and vectors are what the code makes", async () => {
  expect(vectors).toEqual(await makeVectors());
  const text = readFileSync(document, "utf8");
  expect(text).toBe(withExample(text, workedExample(vectors)));
});

test("behavior: a stranger who has only bytes and keccak comes to the same channel, digests and signers", async () => {
  const types = ["address", "address", "address", "bytes32", "address", "address", "uint256"].map((type) => ({ type }));
  const native = "0x0000000000000000000000000000000000000000";
  const { payer, payee, salt, voucherKey, escrow, chainId } = vectors;
  const channelId = keccak256(encodeAbiParameters(types, [payer, payee, native, salt, voucherKey, escrow, BigInt(chainId)]));
  expect(channelId).toBe(vectors.channelId);
  const hash = (...words: Hex[]) => keccak256(concat(words));
  const text = (value: string) => keccak256(stringToHex(value));
  const word = (value: bigint) => numberToHex(value, { size: 32 });
  const domain = hash(
    text("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"),
    text("EVM Payment Channel"),
    text("1"),
    word(BigInt(chainId)),
    word(BigInt(escrow)),
  );
  const digest = (amount: bigint) =>
    hash("0x1901", domain, hash(text("Voucher(bytes32 channelId,uint128 cumulativeAmount)"), channelId, word(amount)));
  expect(digest(1000n)).toBe(vectors.voucher1000Digest);
  const signed: readonly [bigint, Hex][] = [
    [1000n, vectors.voucher1000Signature],
    [1500n, vectors.voucher1500Signature],
    [4200n, vectors.closeSignature],
  ];
  for (const [amount, signature] of signed) expect(await recoverAddress({ hash: digest(amount), signature })).toBe(voucherKey);
});

test("behavior: what is on the wire decodes to what the text says", () => {
  const challenge = findSessionChallenge(vectors.wwwAuthenticate, 1);
  expect(challenge && readSessionTerms(challenge)).toMatchObject({ amount: 1000n, unitType: "second", recipient: vectors.payee });
  expect(Buffer.from(vectors.request, "base64url").toString()).toBe(vectors.requestJson);
  const open = decodeCredential(vectors.openAuthorization);
  expect(open.challenge).toEqual(challenge);
  expect(open.payload).toMatchObject({ action: "open", type: "hash", channelId: vectors.channelId, cumulativeAmount: 1000n });
  expect(decodeCredential(vectors.voucher1500Authorization).payload).toMatchObject({ action: "voucher", cumulativeAmount: 1500n });
  expect(decodeCredential(vectors.closeAuthorization).payload).toMatchObject({ action: "close", cumulativeAmount: BigInt(vectors.spent) });
  expect(decodeNeedVoucher(vectors.needVoucherEvent.split("data: ")[1] ?? "")).toMatchObject({ requiredCumulative: 1500n });
  expect(decodePaymentReceipt(vectors.paymentReceipt)).toMatchObject({ spent: 4200n, units: 4200 });
  const call = decodeFunctionData({ abi: paymentChannelAbi, data: vectors.openCalldata });
  expect(call.functionName).toBe("open");
  expect((call.args as readonly Address[])[4]).toBe(vectors.voucherKey);
});
