import { isNotNull, isNull } from "drizzle-orm";
import { bigint, boolean, index, integer, jsonb, pgTable, primaryKey, text } from "drizzle-orm/pg-core";
import { bytes, hex, uint256 } from "./columns.ts";

const count = (name: string) => bigint(name, { mode: "number" });
/** Unix seconds. */
const seconds = (name: string) => bigint(name, { mode: "number" });
const blockNumber = () => count("block_number").notNull();
const chainId = () => bigint("chain_id", { mode: "number" }).notNull();
const streamId = (name: string) => bigint(name, { mode: "bigint" });
const providerId = () => count("provider_id").notNull();

/** Indexer: how far a chain was read. Whoever changes anything of the chain raises `version` from the value it knows, or changes nothing. */
export const indexerHeads = pgTable("indexer_heads", {
  chainId: bigint("chain_id", { mode: "number" }).primaryKey(),
  /** Genesis block and contract addresses: rows of another chain with the same id are not ours. */
  identity: text("identity").notNull(),
  version: count("version").notNull(),
  /** The block before the first one that is read when nothing was read yet. */
  blockNumber: blockNumber(),
  blockHash: bytes("block_hash"),
  at: seconds("at").notNull(),
  /** How often something was rolled back. */
  rollbacks: count("rollbacks").notNull(),
});

/** Indexer: recent blocks, to notice a reorganisation that happened while nobody looked. */
export const indexerBlocks = pgTable(
  "indexer_blocks",
  { chainId: chainId(), blockNumber: blockNumber(), blockHash: bytes("block_hash").notNull() },
  (table) => [primaryKey({ columns: [table.chainId, table.blockNumber] })],
);

/** Indexer: every event, once. All other tables of the indexer are made from it. `args` holds amounts as decimal strings. */
export const indexerEvents = pgTable(
  "indexer_events",
  {
    chainId: chainId(),
    blockNumber: blockNumber(),
    logIndex: integer("log_index").notNull(),
    blockHash: bytes("block_hash").notNull(),
    transactionHash: bytes("transaction_hash").notNull(),
    at: seconds("at").notNull(),
    contract: text("contract").notNull(),
    name: text("name").notNull(),
    /** What the event tells about, such as "stream:7"; null where nothing is told from its events. */
    subject: text("subject"),
    args: jsonb("args").$type<Readonly<Record<string, unknown>>>().notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.chainId, table.blockNumber, table.logIndex] }),
    index("indexer_events_subject").on(table.chainId, table.subject, table.blockNumber, table.logIndex).where(isNotNull(table.subject)),
  ],
);

/** Indexer: offers. `completions` and `earned` are sums, the rest is told by the provider's own events. */
export const indexerProviders = pgTable(
  "indexer_providers",
  {
    chainId: chainId(),
    id: count("id").notNull(),
    owner: hex("owner").notNull(),
    signer: hex("signer"),
    model: text("model").notNull(),
    asset: hex("asset").notNull(),
    pricePerSecond: uint256("price_per_second").notNull(),
    serviceType: integer("service_type").notNull(),
    endpoint: text("endpoint").notNull(),
    active: boolean("active").notNull(),
    registeredAt: seconds("registered_at").notNull(),
    updatedAt: seconds("updated_at").notNull(),
    completions: count("completions").notNull(),
    earned: uint256("earned").notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.chainId, table.id] }),
    index("indexer_providers_price").on(table.chainId, table.active, table.pricePerSecond, table.id),
    index("indexer_providers_any_price").on(table.chainId, table.pricePerSecond, table.id),
    index("indexer_providers_model").on(table.chainId, table.model, table.active, table.pricePerSecond, table.id),
    index("indexer_providers_model_any").on(table.chainId, table.model, table.pricePerSecond, table.id),
    index("indexer_providers_owner").on(table.chainId, table.owner, table.id),
    index("indexer_providers_earned").on(table.chainId, table.earned, table.id),
  ],
);

/** Indexer: streams. Deposit = rate × (end − start); nothing is left once `closedAt` is set. */
export const indexerStreams = pgTable(
  "indexer_streams",
  {
    chainId: chainId(),
    id: streamId("id").notNull(),
    payer: hex("payer").notNull(),
    payee: hex("payee").notNull(),
    asset: hex("asset").notNull(),
    ratePerSecond: uint256("rate_per_second").notNull(),
    start: seconds("start_at").notNull(),
    end: seconds("end_at").notNull(),
    lastPaid: seconds("last_paid").notNull(),
    providerId: providerId(),
    serviceType: integer("service_type").notNull(),
    /** To the payee, without rewards. */
    paid: uint256("paid").notNull(),
    /** To keepers. */
    rewards: uint256("rewards").notNull(),
    refunded: uint256("refunded").notNull(),
    closedAt: seconds("closed_at"),
    /** cancelled, settled, redirected, completed (by a keeper) or withdrawn (by the payee, at its end). */
    closedHow: text("closed_how"),
    /** The stream that took over. */
    successor: streamId("successor"),
  },
  (table) => [
    primaryKey({ columns: [table.chainId, table.id] }),
    index("indexer_streams_payer").on(table.chainId, table.payer, table.id),
    index("indexer_streams_payee").on(table.chainId, table.payee, table.id),
    index("indexer_streams_provider").on(table.chainId, table.providerId, table.id),
    // What somebody has open among very many that have ended.
    index("indexer_streams_open_payer").on(table.chainId, table.payer, table.id).where(isNull(table.closedAt)),
    index("indexer_streams_open_payee").on(table.chainId, table.payee, table.id).where(isNull(table.closedAt)),
    index("indexer_streams_open").on(table.chainId, table.asset, table.id).where(isNull(table.closedAt)),
    index("indexer_streams_end").on(table.chainId, table.end, table.id).where(isNull(table.closedAt)),
  ],
);

/** Indexer: payment channels. */
export const indexerChannels = pgTable(
  "indexer_channels",
  {
    chainId: chainId(),
    id: hex("id").notNull(),
    payer: hex("payer").notNull(),
    payee: hex("payee").notNull(),
    asset: hex("asset").notNull(),
    authorizedSigner: hex("authorized_signer").notNull(),
    salt: hex("salt").notNull(),
    deposit: uint256("deposit").notNull(),
    settled: uint256("settled").notNull(),
    refunded: uint256("refunded").notNull(),
    openedAt: seconds("opened_at").notNull(),
    openedBlock: count("opened_block").notNull(),
    openedLog: integer("opened_log").notNull(),
    /** When a requested close can be carried out. */
    withdrawableAt: seconds("withdrawable_at"),
    closedAt: seconds("closed_at"),
  },
  (table) => [
    primaryKey({ columns: [table.chainId, table.id] }),
    index("indexer_channels_order").on(table.chainId, table.openedBlock, table.openedLog),
    index("indexer_channels_open").on(table.chainId, table.openedBlock, table.openedLog).where(isNull(table.closedAt)),
    index("indexer_channels_payer").on(table.chainId, table.payer, table.openedBlock, table.openedLog),
    index("indexer_channels_payee").on(table.chainId, table.payee, table.openedBlock, table.openedLog),
  ],
);

/** Indexer: how streams ended and what channels paid; one row for each such event. */
export const indexerSettlements = pgTable(
  "indexer_settlements",
  {
    chainId: chainId(),
    blockNumber: blockNumber(),
    logIndex: integer("log_index").notNull(),
    transactionHash: bytes("transaction_hash").notNull(),
    at: seconds("at").notNull(),
    /** A stream's `closedHow`, or channel-settled, channel-closed. */
    kind: text("kind").notNull(),
    streamId: streamId("stream_id"),
    channelId: hex("channel_id"),
    providerId: providerId(),
    payer: hex("payer").notNull(),
    payee: hex("payee").notNull(),
    asset: hex("asset").notNull(),
    /** What this event moved. */
    paid: uint256("paid").notNull(),
    rewards: uint256("rewards").notNull(),
    refunded: uint256("refunded").notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.chainId, table.blockNumber, table.logIndex] }),
    index("indexer_settlements_kind").on(table.chainId, table.kind, table.blockNumber, table.logIndex),
    index("indexer_settlements_payer").on(table.chainId, table.payer, table.blockNumber, table.logIndex),
    index("indexer_settlements_payee").on(table.chainId, table.payee, table.blockNumber, table.logIndex),
    index("indexer_settlements_provider").on(table.chainId, table.providerId, table.blockNumber, table.logIndex),
  ],
);

/** Indexer: money set aside, by contract. */
export const indexerCredits = pgTable(
  "indexer_credits",
  {
    chainId: chainId(),
    account: hex("account").notNull(),
    contract: text("contract").notNull(),
    asset: hex("asset").notNull(),
    added: uint256("added").notNull(),
    withdrawn: uint256("withdrawn").notNull(),
    events: count("events").notNull(),
  },
  (table) => [primaryKey({ columns: [table.chainId, table.account, table.contract, table.asset] })],
);

/** Indexer: keepers' transactions; the sender of the transaction counts as the keeper. Amounts are in the native coin unless they name an asset. */
export const indexerKeeperActions = pgTable(
  "indexer_keeper_actions",
  {
    chainId: chainId(),
    blockNumber: blockNumber(),
    /** Of its first update. */
    logIndex: integer("log_index").notNull(),
    transactionHash: bytes("transaction_hash").notNull(),
    at: seconds("at").notNull(),
    keeper: hex("keeper").notNull(),
    streams: count("streams").notNull(),
    completed: count("completed").notNull(),
    accrued: uint256("accrued").notNull(),
    reward: uint256("reward").notNull(),
    tokenRewards: jsonb("token_rewards")
      .$type<readonly { readonly asset: string; readonly accrued: string; readonly reward: string }[]>()
      .notNull(),
    gasUsed: uint256("gas_used").notNull(),
    gasPrice: uint256("gas_price").notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.chainId, table.blockNumber, table.logIndex] }),
    index("indexer_keeper_actions_keeper").on(table.chainId, table.keeper, table.blockNumber, table.logIndex),
  ],
);

const keeperSums = () => ({
  keeper: hex("keeper").notNull(),
  events: count("events").notNull(),
  streams: count("streams").notNull(),
  completed: count("completed").notNull(),
  accrued: uint256("accrued").notNull(),
  reward: uint256("reward").notNull(),
  gasWei: uint256("gas_wei").notNull(),
});

/** Indexer: sums over a keeper's actions, in the native coin. */
export const indexerKeepers = pgTable("indexer_keepers", { chainId: chainId(), ...keeperSums() }, (table) => [
  primaryKey({ columns: [table.chainId, table.keeper] }),
  index("indexer_keepers_reward").on(table.chainId, table.reward, table.keeper),
]);

/** Indexer: the same sums by day (UTC; days since 1970). */
export const indexerKeeperDays = pgTable(
  "indexer_keeper_days",
  { chainId: chainId(), day: integer("day").notNull(), ...keeperSums() },
  (table) => [
    primaryKey({ columns: [table.chainId, table.keeper, table.day] }),
    index("indexer_keeper_days_day").on(table.chainId, table.day, table.keeper),
  ],
);

/** What is summed for the whole network and for a provider. `events` counts what was added, so that a row of nothing goes. */
const sums = () => ({
  events: count("events").notNull(),
  streamsOpened: count("streams_opened").notNull(),
  streamsClosed: count("streams_closed").notNull(),
  channelsOpened: count("channels_opened").notNull(),
  channelsClosed: count("channels_closed").notNull(),
  deposited: uint256("deposited").notNull(),
  paid: uint256("paid").notNull(),
  rewards: uint256("rewards").notNull(),
  refunded: uint256("refunded").notNull(),
  /** Stream time that was paid for, in ms. */
  soldMs: uint256("sold_ms").notNull(),
  payments: count("payments").notNull(),
});

/** Indexer: sums since the beginning. */
export const indexerTotals = pgTable("indexer_totals", { chainId: chainId(), asset: hex("asset").notNull(), ...sums() }, (table) => [
  primaryKey({ columns: [table.chainId, table.asset] }),
]);

/** Indexer: sums of a day (UTC; days since 1970). */
export const indexerDays = pgTable(
  "indexer_days",
  { chainId: chainId(), day: integer("day").notNull(), asset: hex("asset").notNull(), ...sums() },
  (table) => [primaryKey({ columns: [table.chainId, table.asset, table.day] })],
);

/** Indexer: sums of minutes and hours: `seconds` long, from `at` on. */
export const indexerIntervals = pgTable(
  "indexer_intervals",
  { chainId: chainId(), seconds: integer("seconds").notNull(), at: seconds("at").notNull(), asset: hex("asset").notNull(), ...sums() },
  (table) => [primaryKey({ columns: [table.chainId, table.seconds, table.at, table.asset] })],
);

/** Indexer: sums of a provider's day; provider 0 = streams and channels without one. */
export const indexerProviderDays = pgTable(
  "indexer_provider_days",
  { chainId: chainId(), providerId: providerId(), day: integer("day").notNull(), asset: hex("asset").notNull(), ...sums() },
  (table) => [primaryKey({ columns: [table.chainId, table.providerId, table.day, table.asset] })],
);

/** Indexer: how many offers there are of a model. */
export const indexerModels = pgTable(
  "indexer_models",
  {
    chainId: chainId(),
    model: text("model").notNull(),
    asset: hex("asset").notNull(),
    serviceType: integer("service_type").notNull(),
    /** Offers ever registered. */
    events: count("events").notNull(),
    active: count("active").notNull(),
  },
  (table) => [primaryKey({ columns: [table.chainId, table.model, table.asset, table.serviceType] })],
);

/** Indexer: an offer's price and whether it was active, after each change. */
export const indexerPrices = pgTable(
  "indexer_prices",
  {
    chainId: chainId(),
    blockNumber: blockNumber(),
    logIndex: integer("log_index").notNull(),
    at: seconds("at").notNull(),
    providerId: providerId(),
    model: text("model").notNull(),
    asset: hex("asset").notNull(),
    pricePerSecond: uint256("price_per_second").notNull(),
    active: boolean("active").notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.chainId, table.blockNumber, table.logIndex] }),
    index("indexer_prices_model").on(table.chainId, table.model, table.blockNumber, table.logIndex),
    index("indexer_prices_provider").on(table.chainId, table.providerId, table.blockNumber, table.logIndex),
  ],
);

/** Indexer: what probes of a provider's endpoint saw in a day; not told by the chain. */
export const indexerProbes = pgTable(
  "indexer_probes",
  {
    chainId: chainId(),
    providerId: providerId(),
    day: integer("day").notNull(),
    probes: count("probes").notNull(),
    answered: count("answered").notNull(),
    /** Sum over the answered ones. */
    latencyMs: count("latency_ms").notNull(),
    lastAtMs: count("last_at_ms").notNull(),
    lastOk: boolean("last_ok").notNull(),
    /** Why the last one failed: an error code. */
    lastReason: text("last_reason"),
  },
  (table) => [primaryKey({ columns: [table.chainId, table.providerId, table.day] })],
);
