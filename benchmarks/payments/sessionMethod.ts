import { Method, z } from "mppx";

const digits = z.string().check(z.regex(/^\d+$/));
const voucher = { channelId: z.hash(), cumulativeAmount: digits, signature: z.signature() };

/** The session intent as mppx is told of it: it knows the scheme, but not this method. Somebody else's client needs no more. */
export const sessionMethod = Method.from({
  name: "evm",
  intent: "session",
  schema: {
    credential: {
      payload: z.discriminatedUnion("action", [
        z.object({
          action: z.literal("open"),
          type: z.literal("hash"),
          hash: z.hash(),
          salt: z.hash(),
          authorizedSigner: z.optional(z.address()),
          ...voucher,
        }),
        z.object({ action: z.literal("voucher"), ...voucher }),
        z.object({ action: z.literal("close"), ...voucher }),
      ]),
    },
    request: z.looseObject({
      amount: digits,
      currency: z.address(),
      recipient: z.address(),
      unitType: z.optional(z.string()),
      suggestedDeposit: z.optional(digits),
      externalId: z.optional(z.string()),
      methodDetails: z.looseObject({ chainId: z.number(), escrowContract: z.address() }),
    }),
  },
});

export const voucherTypes = {
  Voucher: [
    { name: "channelId", type: "bytes32" },
    { name: "cumulativeAmount", type: "uint128" },
  ],
} as const;

export const voucherDomain = (chainId: number, verifyingContract: `0x${string}`) =>
  ({ name: "EVM Payment Channel", version: "1", chainId, verifyingContract }) as const;
