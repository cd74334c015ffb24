import type { Clock } from "@clawcompute/lib/node";
import { createAccount, type PayAccount } from "./account.ts";
import type { AccountRow, Ledger, Stored } from "./ledger.ts";

/** The accounts that this process has in use; each once. */
export interface Accounts {
  find(payment: bigint): Promise<PayAccount | undefined>;
  /** Keeps a new one, or finds what is there. */
  create(row: AccountRow): Promise<PayAccount>;
  /** What the store says now, for who asks about the newest receipt. */
  stored(payment: bigint): Promise<Stored | undefined>;
  /** The store has a newer row. */
  update(row: AccountRow | undefined): void;
}

export interface AccountsOptions {
  readonly ledger: Ledger;
  readonly stepMs: number;
  readonly clock: Clock;
  /** How many are remembered. Default 20,000. */
  readonly capacity?: number;
}

/** What another replica changed is noticed this late, where nothing else tells. */
const TRUSTED_MS = 30_000;

export function createAccounts({ ledger, stepMs, clock, capacity = 20_000 }: AccountsOptions): Accounts {
  const known = new Map<bigint, PayAccount>();
  const loading = new Map<bigint, Promise<PayAccount | undefined>>();

  function keep({ row, servedMs }: Stored): PayAccount {
    const existing = known.get(row.payment);
    if (existing) {
      existing.refresh(row);
      return existing;
    }
    const account: PayAccount = createAccount({ row, servedMs, stepMs, clock, reread: () => ledger.reread(account.row) });
    if (row.state !== "open") account.stop();
    known.set(row.payment, account);
    for (const [id, old] of known) {
      if (known.size <= capacity) break;
      if (old.running() === 0) known.delete(id);
    }
    return account;
  }

  const load = async (payment: bigint) => {
    const stored = await ledger.read(payment);
    return stored && keep(stored);
  };

  return {
    find: async (payment) => {
      const account = known.get(payment);
      if (account && (account.running() > 0 || clock.now() - account.lastUsedMs() < TRUSTED_MS)) return account;
      if (account) known.delete(payment);
      let pending = loading.get(payment);
      if (!pending) {
        pending = load(payment).finally(() => loading.delete(payment));
        loading.set(payment, pending);
      }
      return pending;
    },
    create: async (row) => keep(await ledger.create(row)),
    stored: (payment) => ledger.read(payment),
    update: (row) => {
      const account = row && known.get(row.payment);
      if (!account) return;
      account.refresh(row);
      // One that was stopped never serves again; reopened by a top-up it is read afresh.
      if (row.state !== "open") account.stop();
      else if (account.closed.aborted) known.delete(row.payment);
    },
  };
}
