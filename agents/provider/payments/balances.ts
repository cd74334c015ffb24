import { type ContractCall, decodeRevert, type SendOptions, type SentTransaction } from "@clawcompute/lib/chain";
import { AppError } from "@clawcompute/lib/errors";
import { costUp, coveredMsDown } from "@clawcompute/lib/money";
import type { Clock, Logger } from "@clawcompute/lib/node";
import { decodeSignedReceipt } from "@clawcompute/lib/protocol";
import { channelOfPayment } from "@clawcompute/lib/protocol/payments";
import { and, type Database, desc, eq, payAccounts, receipts, sql } from "@clawcompute/lib/store";
import { type Address, erc20Abi, type Hex, isAddressEqual, zeroAddress } from "viem";
import type { PayAccount } from "./account.ts";
import type { Accounts } from "./accounts.ts";
import { type BalanceToken, issueToken, readToken } from "./balanceToken.ts";
import type { Cover } from "./cover.ts";
import type { AccountRow, Ledger } from "./ledger.ts";
import type { Transfers } from "./transfers.ts";

/** Money that was paid ahead: bearers spend it at real cost, and what is left goes back to the wallet that it came from. */
export interface Balances {
  token(payment: bigint): Promise<string>;
  read(token: string): Promise<BalanceToken & { readonly account: PayAccount }>;
  /** What a token pays for, within its caveats. */
  payer(token: string): Promise<{ readonly account: PayAccount; readonly caveats: BalanceToken["caveats"] }>;
  /** A payment that arrived, once: a new balance, or more of one. */
  fund(funding: Funding): Promise<PayAccount>;
  /** Estimate, paid, actual and refund side by side. */
  statement(account: PayAccount): Promise<Record<string, unknown>>;
  /** Ends a balance and sends the rest back. Asking again continues where it was. */
  close(account: PayAccount): Promise<{ readonly refunded: bigint; readonly hash: Hex | undefined }>;
  /** A refund that is on the chain, once. */
  refunded(refund: { readonly key: string; readonly payment: bigint; readonly amount: bigint; readonly hash: Hex }): Promise<void>;
  /** Closes what nobody used for long, and sends what a crash left unsent. */
  expire(signal: AbortSignal): Promise<void>;
}

export interface Funding {
  readonly key: string;
  readonly payment: bigint;
  readonly amount: bigint;
  readonly hash: Hex | undefined;
  /** Default true: the payer learns of the balance now. False: when it shows the payment again. */
  readonly told?: boolean;
  /** Of a new balance. */
  readonly terms: Pick<AccountRow, "providerId" | "payer" | "asset" | "ratePerSecond">;
}

export interface BalancesOptions {
  readonly db: Database;
  readonly chainId: number;
  readonly payee: Address;
  readonly secret: () => Promise<Uint8Array>;
  readonly ledger: Ledger;
  readonly accounts: Accounts;
  readonly transfers: Transfers;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly idleMs: number;
  readonly endAnswers: (payment: bigint) => Promise<void>;
  readonly send: ((call: ContractCall, options?: SendOptions) => Promise<SentTransaction>) | undefined;
  readonly headNumber: () => Promise<bigint>;
}

const SHOWN = 100;

export function createBalances(options: BalancesOptions): Balances {
  const { db, chainId, payee, secret, ledger, accounts, transfers, clock, logger, idleMs, endAnswers, send, headNumber } = options;

  const read: Balances["read"] = async (token) => {
    const known = readToken(await secret(), token, clock.now() / 1000);
    const account = await accounts.find(known.payment);
    if (account?.row.kind !== "balance") {
      throw new AppError("TOKEN_UNKNOWN", "This balance token is not known here.", { param: "authorization" });
    }
    return { ...known, account };
  };

  /** The same account, ending where the token's own limit is. */
  function limited(account: PayAccount, max: bigint | undefined): PayAccount {
    if (max === undefined) return account;
    const leftMs = () => coveredMsDown(max, account.row.ratePerSecond) - account.servedMs();
    const cover: Cover = {
      ...account.cover,
      runwayMs: () => Math.min(account.cover.runwayMs(), leftMs()),
      assertMayBegin: () => {
        account.cover.assertMayBegin();
        if (leftMs() <= 0) {
          throw new AppError("BALANCE_TOO_LOW", "This token may spend no more.", { param: "authorization", facts: { max: String(max) } });
        }
      },
    };
    return { ...account, cover, closed: account.closed };
  }

  const refunded: Balances["refunded"] = async ({ key, payment, amount, hash }) => {
    await transfers.finish(key, hash, async (tx) => {
      await tx
        .update(payAccounts)
        .set({ settled: sql`${payAccounts.settled} + ${String(amount)}::numeric` })
        .where(and(eq(payAccounts.chainId, chainId), eq(payAccounts.payment, payment)));
    });
    accounts.update((await ledger.read(payment))?.row);
  };

  /** Undefined: not sent, or it is not known yet whether it was. */
  async function refund({ payment, payer, asset, settled }: AccountRow, rest: bigint): Promise<Hex | undefined> {
    if (!send || isAddressEqual(payer, payee)) return undefined;
    if (asset === zeroAddress) throw new AppError("UNSUPPORTED", "Balances are kept in tokens.");
    // What came in after an earlier refund goes back as another one.
    const key = `refund:${channelOfPayment(payment)}${settled > 0n ? `:${settled}` : ""}`;
    const intent = { asset, payer, sinceBlock: String(await headNumber()) };
    const made = await transfers.once({ key, payment, kind: "refund", amount: rest, intent, nowMs: clock.now() }, async (hold) => {
      try {
        const call = { contract: asset, abi: erc20Abi, functionName: "transfer", args: [payer, rest] };
        const { hash } = await send(call, { onSigned: hold.signed });
        await refunded({ key, payment, amount: rest, hash });
        return hash;
      } catch (thrown) {
        await hold.release();
        throw decodeRevert(thrown);
      }
    });
    if ("mine" in made) return made.mine;
    return made.known.state === "done" ? (made.known.transactionHash ?? undefined) : undefined;
  }

  /** Unless more came in meanwhile: that goes back at the next look. */
  async function end({ payment, accepted, settled }: AccountRow): Promise<void> {
    const asKnown = and(eq(payAccounts.accepted, accepted), eq(payAccounts.settled, settled));
    await db
      .update(payAccounts)
      .set({ state: "closed" })
      .where(and(eq(payAccounts.chainId, chainId), eq(payAccounts.payment, payment), asKnown));
    accounts.update((await ledger.read(payment))?.row);
  }

  const close: Balances["close"] = async (account) => {
    const { payment } = account.row;
    accounts.update(await ledger.onChain(payment, { state: "closing" }));
    await endAnswers(payment);
    const left = () => account.row.accepted - account.row.settled - account.owed();
    const rest = left();
    const hash = rest > 0n ? await refund(account.row, rest) : undefined;
    if (left() <= 0n) await end(account.row);
    return { refunded: hash ? rest : 0n, hash };
  };

  return {
    token: async (payment) => issueToken(await secret(), payment),
    read,
    payer: async (token) => {
      const { account, caveats } = await read(token);
      if (caveats.scope === "read") throw new AppError("TOKEN_UNKNOWN", "This token may only read.", { param: "authorization" });
      if (account.row.state !== "open") {
        throw new AppError("BALANCE_TOO_LOW", "This balance is closed.", { param: "authorization", hint: "Fund a new one." });
      }
      return { account: limited(account, caveats.max), caveats };
    },
    fund: async ({ key, payment, amount, hash, terms, told }) => {
      const nowMs = clock.now();
      const expiresAtMs = nowMs + idleMs;
      const empty = { salt: null, authorizedSigner: null, voucherSignature: null, settled: 0n };
      const row: AccountRow = {
        payment,
        kind: "balance",
        payee,
        ...terms,
        ...empty,
        deposit: 0n,
        accepted: 0n,
        state: "open",
        expiresAtMs,
        usedAtMs: nowMs,
      };
      const account = await accounts.create(row);
      await transfers.finish(
        key,
        hash,
        async (tx) => {
          const own = and(eq(payAccounts.chainId, chainId), eq(payAccounts.payment, payment));
          const [now] = await tx.select().from(payAccounts).where(own).for("update");
          const funded = { deposit: (now?.deposit ?? 0n) + amount, accepted: (now?.accepted ?? 0n) + amount };
          await tx
            .update(payAccounts)
            // What comes in for a balance that has ended goes back.
            .set({ ...funded, usedAtMs: nowMs, expiresAtMs, ...(now?.state === "closed" ? { state: "closing" as const } : {}) })
            .where(own);
        },
        told,
      );
      accounts.update((await ledger.read(payment))?.row);
      return account;
    },
    statement: async ({ row, owed }) => {
      const { payment } = row;
      const own = and(eq(receipts.chainId, chainId), eq(receipts.streamId, payment));
      const [moved, answers] = await Promise.all([
        transfers.of(payment),
        db.select({ signed: receipts.signed }).from(receipts).where(own).orderBy(desc(receipts.sequence)).limit(SHOWN),
      ]);
      return {
        id: channelOfPayment(payment),
        state: row.state,
        providerId: row.providerId,
        asset: row.asset,
        payer: row.payer,
        ratePerSecond: String(row.ratePerSecond),
        paid: String(row.deposit),
        actual: String(owed()),
        refunded: String(row.settled),
        left: String(row.accepted - row.settled - owed()),
        expiresAt: row.expiresAtMs === null ? null : Math.floor(row.expiresAtMs / 1000),
        transfers: moved.map(({ kind, amount, state, transactionHash }) => ({ kind, amount: String(amount), state, transactionHash })),
        answers: answers.map(({ signed }) => {
          const { receipt } = decodeSignedReceipt(signed);
          const { requestId, model, servedMs, unitsIn, unitsOut, reason, startedAtMs, endedAtMs } = receipt;
          const estimate = String(costUp(row.ratePerSecond, endedAtMs - startedAtMs));
          return { requestId, model, servedMs, unitsIn, unitsOut, reason, estimate, actual: String(receipt.amount) };
        }),
      };
    },
    close,
    refunded,
    expire: async (signal) => {
      for (const { row, servedAtMs } of await ledger.live(payee, "balance")) {
        signal.throwIfAborted();
        if (isAddressEqual(row.payer, payee)) continue;
        const due = row.state === "closing" || clock.now() - Math.max(row.usedAtMs, servedAtMs) >= idleMs;
        const account = due ? await accounts.find(row.payment) : undefined;
        if (!account || account.running() > 0) continue;
        await close(account).catch((thrown) => {
          const { code } = AppError.from(thrown);
          logger.warn({ code, balance: channelOfPayment(row.payment) }, "a balance could not be returned yet");
        });
      }
    },
  };
}
