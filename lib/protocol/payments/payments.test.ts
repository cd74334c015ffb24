import { AppError } from "@clawcompute/lib/errors";
import { type Address, type Hex, recoverAddress, zeroAddress } from "viem";
import { privateKeyToAccount } from "viem/accounts";
import { describe, expect, test } from "vitest";
import {
  addressOfDid,
  type Challenge,
  channelIdOf,
  channelOfPayment,
  decodeCredential,
  decodeNeedVoucher,
  decodePaymentPayload,
  decodePaymentReceipt,
  decodePaymentRequired,
  didOf,
  encodeCredential,
  encodePaymentEvent,
  encodePaymentReceipt,
  encodeRequest,
  encodeX402,
  findSessionChallenge,
  formatChallenge,
  fromBase64,
  hashVoucher,
  openNonceOf,
  parseChallenges,
  paymentOfChannel,
  readSessionTerms,
  signVoucher,
  toBase64Url,
  topUpNonceOf,
} from "./index.ts";

// The vectors of test/contracts/PaymentChannel/vectors.test.ts, which the deployed code is held to.
const key: Hex = "0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80";
const terms = {
  payer: "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266",
  payee: "0x70997970C51812dc3A010C7d01b50e0d17dc79C8",
  token: "0x74b7f16337b8972027f6196a17a631ac6de26d22",
  authorizedSigner: "0x742d35cc6634c0532925a3b844bc9e7595f8fe00",
  salt: "0xaaaa1234bbbb5678cccc9012dddd3456eeee7890ffff1234aaaa5678bbbb9012",
} as const;
const domain = { chainId: 31337, verifyingContract: "0x1234567890abcdef1234567890abcdef12345678" as Address };
const channelId: Hex = "0xada90294e4d514c7a999b460ef0cead1eacc3910262233c9eefc5c6dbde248ee";
const voucherSignature: Hex =
  "0xf27c57a0c553d3ad81b403e499e04f8664bf32c3d60787ff408483ec014c6d9a28e15ddc27aceaf712fa965963f050608c9d33bda931f85750c0f9d7d6a571f81b";
const voucher = { channelId, cumulativeAmount: 250_000n };

describe("channels behavior: the contract's vectors", () => {
  test("id, voucher and nonces", async () => {
    expect(channelIdOf(domain, terms)).toBe(channelId);
    expect(hashVoucher(domain, voucher)).toBe("0x9f974aa0533a3eb99781eaf835ffebd2e1fb14a67be5fed36364ced5b6223115");
    const account = privateKeyToAccount(key);
    expect(await signVoucher(account, domain, voucher)).toBe(voucherSignature);
    expect(await recoverAddress({ hash: hashVoucher(domain, voucher), signature: voucherSignature })).toBe(account.address);
    expect(openNonceOf(terms)).toBe("0x7a4565abbce72675bfb4d24413ec8fce92df1736863674a64b0b812e91d53eac");
    expect(channelOfPayment(paymentOfChannel(channelId))).toBe(channelId);
  });

  test("a top-up's nonce depends on each of its terms", () => {
    const topUp = { channelId, additionalDeposit: 1n, from: terms.payer, salt: terms.salt };
    const nonces = [topUp, { ...topUp, additionalDeposit: 2n }, { ...topUp, from: terms.payee }, { ...topUp, salt: channelId }];
    expect(new Set(nonces.map(topUpNonceOf)).size).toBe(4);
  });

  test("did of a payer, on its own chain only", () => {
    const did = didOf(31337, terms.payer);
    expect(addressOfDid(did, 31337)).toBe(terms.payer);
    expect([addressOfDid(did, 56), addressOfDid("did:web:x", 31337), addressOfDid(undefined, 1)]).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
  });
});

const request = {
  amount: "1000",
  unitType: "second",
  currency: zeroAddress,
  recipient: terms.payee,
  externalId: "7",
  methodDetails: { chainId: 31337, escrowContract: domain.verifyingContract, credentialTypes: ["hash"] },
};
const challenge: Challenge = {
  id: "abc-_",
  realm: 'a "quoted", realm\\ü',
  method: "evm",
  intent: "session",
  request: encodeRequest(request),
  expires: "2026-11-21T05:00:00Z",
  header: "Payment-Authorization",
};

describe("challenges", () => {
  test("behavior: several challenges among other schemes, in one header", () => {
    const charge = { ...challenge, id: "x", intent: "charge" };
    const header = ['Bearer realm="x"', formatChallenge(charge), 'Basic realm="Payment id=1"', formatChallenge(challenge)].join(", ");
    expect(parseChallenges(header)).toEqual([charge, challenge]);
    expect(findSessionChallenge(header)).toEqual(challenge);
    expect(findSessionChallenge(header, 7)).toEqual(challenge);
    expect(findSessionChallenge(header, 8)).toBeUndefined();
    expect(readSessionTerms(challenge)).toMatchObject({ amount: 1000n, externalId: "7", recipient: terms.payee });
  });

  test("behavior: the request is canonical, whatever the order of its keys", () => {
    const shuffled = Object.fromEntries(Object.entries(request).reverse());
    expect(encodeRequest(shuffled)).toBe(challenge.request);
    expect(fromBase64(challenge.request)).toMatch(/^\{"amount":"1000","currency":/);
  });

  test.each(["", "Payment", 'Payment id="x"', 'Payment id="x', "Bearer abc", ", , ,", 'Payment id="a\\', "é"])(
    "error: nothing in %j",
    (header) => {
      expect(parseChallenges(header)).toEqual([]);
    },
  );
});

describe("credentials", () => {
  const payloads = [
    { action: "voucher", ...voucher, signature: voucherSignature },
    { action: "close", ...voucher, signature: voucherSignature },
    {
      action: "open",
      type: "hash",
      ...voucher,
      hash: channelId,
      signature: voucherSignature,
      salt: terms.salt,
      authorizedSigner: terms.payee,
    },
    { action: "topUp", type: "hash", channelId, hash: channelId, additionalDeposit: 5n },
    {
      action: "open",
      type: "authorization",
      ...voucher,
      salt: terms.salt,
      signature: voucherSignature,
      voucherSignature,
      authorization: { from: terms.payer, to: terms.payee, value: 9n, validAfter: 0n, validBefore: 10n, nonce: channelId },
    },
    {
      action: "open",
      type: "permit2",
      ...voucher,
      salt: terms.salt,
      signature: voucherSignature,
      voucherSignature,
      authorization: {
        from: terms.payer,
        permitted: { token: terms.token, amount: 9n },
        nonce: 1n,
        deadline: 10n,
        witness: { payee: terms.payee, salt: terms.salt, authorizedSigner: terms.payee },
      },
    },
  ];
  test.each(payloads)("behavior: what was encoded is decoded: $action $type", (payload) => {
    const credential = { challenge, payload, source: didOf(31337, terms.payer) };
    expect(decodeCredential(encodeCredential(credential))).toEqual(credential);
  });

  test.each([
    "",
    "Payment",
    "Payment !!",
    `Payment ${toBase64Url("[]")}`,
    `Payment ${toBase64Url(JSON.stringify({ challenge, payload: { action: "voucher", channelId, cumulativeAmount: "-1", signature: "0x12" } }))}`,
    `Payment ${toBase64Url(JSON.stringify({ challenge, payload: { ...payloads[0], cumulativeAmount: String(2n ** 128n) } }))}`,
    `Bearer ${toBase64Url("{}")}`,
  ])("error: %s is refused", (header) => {
    expect(() => decodeCredential(header)).toThrow(AppError);
  });

  test("error: random bytes never throw anything else", () => {
    for (let seed = 0; seed < 500; seed += 1) {
      const noise = Array.from({ length: seed % 97 }, (_, index) => String.fromCharCode(32 + ((seed * 31 + index * 17) % 95))).join("");
      for (const decode of [decodeCredential, decodePaymentReceipt, decodePaymentPayload, decodePaymentRequired, decodeNeedVoucher]) {
        expect(() => decode(`Payment ${noise}`)).toThrow(AppError);
      }
      parseChallenges(noise);
    }
  });
});

test("events behavior: amounts are strings on the wire", () => {
  const need = { channelId, requiredCumulative: 2n ** 90n, acceptedCumulative: 1n, deposit: 2n };
  expect(JSON.parse(encodePaymentEvent(need)).requiredCumulative).toBe(String(2n ** 90n));
  expect(decodeNeedVoucher(encodePaymentEvent(need))).toEqual(need);
  const receipt = {
    method: "evm",
    intent: "session",
    status: "success",
    timestamp: "2026-11-21T05:00:00Z",
    reference: channelId,
    challengeId: "x",
    channelId,
    chainId: 31337,
    acceptedCumulative: 3n,
    spent: 2n,
    reason: "stop",
  } as const;
  expect(decodePaymentReceipt(encodePaymentReceipt(receipt))).toEqual(receipt);
});

test("x402 behavior: headers are base64 of JSON", () => {
  const accepts = [
    { scheme: "exact", network: "eip155:31337", asset: terms.token, amount: "5", payTo: terms.payee, maxTimeoutSeconds: 60, extra: {} },
  ];
  const required = { x402Version: 2 as const, resource: { url: "http://x/v1/chat/completions" }, accepts };
  expect(decodePaymentRequired(encodeX402(required))).toEqual(required);
  const payload = { x402Version: 2 as const, accepted: accepts[0] as (typeof accepts)[0], payload: { a: 1 } };
  expect(decodePaymentPayload(encodeX402(payload))).toEqual(payload);
});
