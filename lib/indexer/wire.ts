import { type Address, type Hex, zeroAddress } from "viem";
import { z } from "zod";

// Amounts and ids that may be large are decimal strings, times unix seconds, addresses lower case. Names and endpoints are untrusted text.

const amount = z
  .string()
  .regex(/^-?\d{1,90}$/, "must be a decimal string")
  .describe("raw units as a decimal string");
const address = z
  .string()
  .regex(/^0x[0-9a-fA-F]{40}$/, "must be an address")
  .transform((value) => value.toLowerCase() as Address);
const wireAddress = z.string().regex(/^0x[0-9a-f]{40}$/) as unknown as z.ZodType<Address>;
const wireHash = z.string().regex(/^0x[0-9a-f]{64}$/) as unknown as z.ZodType<Hex>;
const seconds = z.int().nonnegative().describe("unix seconds");
const streamId = z.string().regex(/^[1-9]\d{0,17}$/, "must be a stream id");
const providerId = z.coerce.number().pipe(z.int().min(0).max(4_294_967_295));
const day = z.coerce.number().pipe(z.int().min(0).max(1_000_000)).describe("days since 1970-01-01, UTC");
const unixSeconds = z.coerce.number().pipe(z.int().min(0).max(100_000_000_000));
const yesNo = z.enum(["true", "false"]).transform((value) => value === "true");
const serviceType = z.coerce.number().pipe(z.int().min(0).max(3)).describe("0 text, 1 image, 2 audio, 3 embedding");
const asset = address.describe(`token, or ${zeroAddress} for the native coin`);

/** Every list takes these. */
export const paging = {
  limit: z.coerce.number().pipe(z.int().min(1).max(500)).default(50),
  cursor: z
    .string()
    .regex(/^[\w-]{1,400}$/, "is not one that this list gave")
    .optional()
    .describe("`next` of the page before"),
};

/** `next` is null on the last page. `block` is the newest block that the page includes. */
export const pageOf = <T extends z.ZodType>(item: T) => z.object({ items: z.array(item), next: z.string().nullable(), block: z.int() });

export const provider = z.object({
  id: z.int(),
  owner: wireAddress,
  signer: wireAddress.nullable(),
  model: z.string(),
  asset: wireAddress,
  pricePerSecond: amount,
  serviceType: z.int(),
  endpoint: z.string(),
  active: z.boolean(),
  registeredAt: seconds,
  updatedAt: seconds,
  completions: z.int(),
  earned: amount,
  /** What probes of the endpoint saw in the last seven days; null when it was never probed. */
  uptime: z
    .object({
      probes: z.int(),
      answered: z.int(),
      meanLatencyMs: z.int().nullable(),
      lastAtMs: z.number(),
      lastOk: z.boolean(),
      lastReason: z.string().nullable(),
    })
    .nullable(),
});

export const stream = z.object({
  id: z.string(),
  payer: wireAddress,
  payee: wireAddress,
  asset: wireAddress,
  ratePerSecond: amount,
  start: seconds,
  end: seconds,
  lastPaid: seconds,
  providerId: z.int(),
  serviceType: z.int(),
  status: z.enum(["active", "ended", "closed"]),
  deposit: amount,
  /** Due to the payee and not yet paid, at `asOf`; a keeper's share of it included. */
  accrued: amount,
  asOf: seconds.describe("chain time that `accrued` and `status` are for"),
  paid: amount.describe("to the payee so far, without keepers' rewards"),
  rewards: amount,
  refunded: amount,
  closedAt: seconds.nullable(),
  closedHow: z.enum(["cancelled", "settled", "redirected", "completed", "withdrawn"]).nullable(),
  successor: z.string().nullable().describe("the stream that took over"),
});

export const event = z.object({
  blockNumber: z.int(),
  logIndex: z.int(),
  transactionHash: wireHash,
  at: seconds,
  contract: z.enum(["registry", "streamPay", "paymentChannel"]),
  name: z.string(),
  args: z.record(z.string(), z.unknown()),
});

export const channel = z.object({
  id: wireHash,
  payer: wireAddress,
  payee: wireAddress,
  asset: wireAddress,
  authorizedSigner: wireAddress,
  salt: wireHash,
  status: z.enum(["open", "closing", "closed"]),
  deposit: amount,
  settled: amount,
  refunded: amount,
  openedAt: seconds,
  withdrawableAt: seconds.nullable(),
  closedAt: seconds.nullable(),
});

export const settlement = z.object({
  blockNumber: z.int(),
  logIndex: z.int(),
  transactionHash: wireHash,
  at: seconds,
  kind: z.enum(["cancelled", "settled", "redirected", "completed", "withdrawn", "channel-settled", "channel-closed"]),
  streamId: z.string().nullable(),
  channelId: wireHash.nullable(),
  providerId: z.int(),
  payer: wireAddress,
  payee: wireAddress,
  asset: wireAddress,
  paid: amount,
  rewards: amount,
  refunded: amount,
});

export const credit = z.object({
  account: wireAddress,
  contract: z.enum(["streamPay", "paymentChannel"]),
  asset: wireAddress,
  amount: amount.describe("still to be collected"),
  added: amount,
  withdrawn: amount,
});

export const keeperAction = z.object({
  blockNumber: z.int(),
  logIndex: z.int(),
  transactionHash: wireHash,
  at: seconds,
  keeper: wireAddress.describe("who sent the transaction"),
  streams: z.int(),
  completed: z.int(),
  accrued: amount.describe("native coin"),
  reward: amount.describe("native coin"),
  tokenRewards: z.array(z.object({ asset: wireAddress, accrued: amount, reward: amount })),
  gasUsed: amount,
  gasPrice: amount,
  gasCost: amount,
});

export const keeper = z.object({
  keeper: wireAddress,
  actions: z.int(),
  streams: z.int(),
  completed: z.int(),
  accrued: amount,
  reward: amount,
  gasCost: amount,
  net: amount.describe("reward less gas, native coin"),
});

export const keeperDay = z.object({
  day: z.int(),
  date: z.string().describe("YYYY-MM-DD"),
  keepers: z.int().describe("how many sent something"),
  actions: z.int(),
  streams: z.int(),
  completed: z.int(),
  accrued: amount,
  reward: amount,
  gasCost: amount,
  net: amount.describe("reward less gas, native coin"),
});

export const uptimeDay = z.object({
  day: z.int(),
  date: z.string().describe("YYYY-MM-DD"),
  probes: z.int(),
  answered: z.int(),
  meanLatencyMs: z.int().nullable().describe("of the answered ones"),
  lastAtMs: z.number(),
  lastOk: z.boolean(),
  lastReason: z.string().nullable().describe("why the last one failed: a code"),
});

const sums = {
  asset: wireAddress,
  streamsOpened: z.int(),
  streamsClosed: z.int(),
  channelsOpened: z.int(),
  channelsClosed: z.int(),
  deposited: amount.describe("what came in; a redirected rest counts once"),
  paid: amount,
  rewards: amount,
  refunded: amount,
  soldMs: amount.describe("stream time paid for, in ms"),
  payments: z.int(),
};

export const dayTotals = z.object({
  day: z.int(),
  date: z.string().describe("YYYY-MM-DD"),
  ...sums,
  streamsOpen: z.int().describe("open at the end of the day"),
});
export const interval = z.object({
  at: seconds.describe("its beginning"),
  ...sums,
  streamsOpen: z.int().describe("open at its end"),
});
/** A channel's deposit names no provider: it counts under provider 0, and so do its payments that were recorded for none. */
export const providerDay = z.object({ day: z.int(), date: z.string(), providerId: z.int(), ...sums });

export const stats = z.object({
  block: z.int(),
  at: seconds,
  providers: z.object({ total: z.int(), active: z.int(), models: z.int() }),
  streams: z.object({
    opened: z.int(),
    closed: z.int(),
    open: z.int(),
    active: z.int(),
    ended: z.int().describe("past their end, money still inside"),
  }),
  channels: z.object({ opened: z.int(), closed: z.int(), open: z.int() }),
  assets: z.array(z.object({ ...sums, held: amount.describe("still inside the contracts, credits not counted") })),
  events: z.int(),
});

export const modelOffers = z.object({
  model: z.string(),
  asset: wireAddress,
  serviceType: z.int(),
  providers: z.int(),
  active: z.int(),
  lowestPrice: amount.nullable().describe("of the active ones, per second"),
});

export const priceChange = z.object({
  blockNumber: z.int(),
  logIndex: z.int(),
  at: seconds,
  providerId: z.int(),
  model: z.string(),
  asset: wireAddress,
  pricePerSecond: amount,
  active: z.boolean(),
});

export const priceDay = z.object({
  day: z.int(),
  date: z.string(),
  low: amount.describe("lowest price that was on offer that day"),
  median: amount.describe("of the offers at the end of the day, or the last one of the day when none is left"),
  high: amount,
  offers: z.int().describe("active offers at the end of the day"),
});

/** One message of the live feed. A client that gets `reset` reads again what it shows. */
export const liveMessage = z.discriminatedUnion("type", [
  z.object({ type: z.literal("head"), block: z.int(), at: seconds, events: z.array(event) }),
  z.object({ type: z.literal("reset"), block: z.int(), reason: z.enum(["reorganised", "too-far-behind"]) }),
]);

export const health = z.object({
  status: z.enum(["ok", "syncing", "degraded"]),
  role: z.enum(["writer", "waiting", "reader"]),
  store: z.enum(["embedded", "server"]),
  chainId: z.int(),
  block: z.int().describe("newest block in the store"),
  at: seconds.describe("chain time of that block"),
  chainBlock: z.int().nullable().describe("newest block of the chain, null when no endpoint answers"),
  lagBlocks: z.int().nullable(),
  lagMs: z.int().nullable().describe("how much older the store is than the chain"),
  rollbacks: z.int(),
});

export const filters = {
  providers: z.object({
    model: z.string().min(1).max(64).optional(),
    asset: asset.optional(),
    serviceType: serviceType.optional(),
    active: yesNo.optional(),
    owner: address.optional(),
    minPrice: z
      .string()
      .regex(/^\d{1,20}$/, "must be raw units")
      .optional(),
    maxPrice: z
      .string()
      .regex(/^\d{1,20}$/, "must be raw units")
      .optional(),
    sort: z.enum(["price", "id", "earned"]).default("price").describe("price: cheapest first; id: oldest first; earned: most first"),
    ...paging,
  }),
  streams: z.object({
    payer: address.optional(),
    payee: address.optional(),
    providerId: providerId.optional(),
    asset: asset.optional(),
    status: z.enum(["open", "active", "ended", "closed"]).optional().describe("open = active or ended, with money inside"),
    sort: z
      .enum(["id", "end", "accrued"])
      .optional()
      .describe(
        "id: newest first; end: soonest first, open streams only; accrued: most first, open streams only, in the order of at most some ten seconds ago. Default id, for `ended` end",
      ),
    ...paging,
  }),
  channels: z.object({
    payer: address.optional(),
    payee: address.optional(),
    asset: asset.optional(),
    status: z.enum(["open", "closing", "closed"]).optional(),
    ...paging,
  }),
  settlements: z.object({
    payer: address.optional(),
    payee: address.optional(),
    providerId: providerId.optional(),
    kind: settlement.shape.kind.optional(),
    ...paging,
  }),
  credits: z.object({
    account: address.optional(),
    contract: credit.shape.contract.optional(),
    asset: asset.optional(),
    all: yesNo.optional().describe("also those that were collected"),
    ...paging,
  }),
  keeperActions: z.object({ keeper: address.optional(), ...paging }),
  keepers: z.object({ sort: z.enum(["reward", "keeper"]).default("reward"), ...paging }),
  daily: z.object({ asset: asset.optional(), from: day.optional(), to: day.optional(), ...paging }),
  activity: z.object({
    step: z.enum(["minute", "hour"]).default("hour"),
    asset: asset.optional(),
    from: unixSeconds.optional().describe("unix seconds"),
    to: unixSeconds.optional().describe("unix seconds"),
    ...paging,
  }),
  keeperDays: z.object({ keeper: address.optional(), from: day.optional(), to: day.optional(), ...paging }),
  prices: z.object({ model: z.string().min(1).max(64).optional(), providerId: providerId.optional(), ...paging }),
  dailyPrices: z.object({ model: z.string().min(1).max(64), asset: asset.default(zeroAddress), from: day.optional(), to: day.optional() }),
  models: z.object({ asset: asset.optional(), ...paging }),
  page: z.object(paging),
};

export const keys = {
  provider: z.object({ id: providerId }),
  stream: z.object({ id: streamId }),
  channel: z.object({
    id: z
      .string()
      .regex(/^0x[0-9a-fA-F]{64}$/, "must be a channel id")
      .transform((value) => value.toLowerCase() as Hex),
  }),
};
