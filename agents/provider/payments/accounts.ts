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
  /** What another process changed is noticed this late, where nothing else tells. Default 30 s. */
  readonly trustedMs?: number;
}

export function createAccounts({ ledger, stepMs, clock, capacity = 20_000, trustedMs = 30_000 }: AccountsOptions): Accounts {
  const known = new Map<bigint, PayAccount>();
  const loading = new Map<bigint, Promise<PayAccount | undefined>>();

  /** Whoever found it before, and has not begun yet, must see what others spend of it: so there is never another one beside it. */
  function keep(stored: Stored): PayAccount {
    const { row, servedMs } = stored;
    const existing = known.get(row.payment);
    // One that was stopped never serves again; reopened by a top-up it is read afresh.
    if (existing && (row.state !== "open" || !existing.closed.aborted)) {
      existing.renew(stored);
      if (row.state !== "open") existing.stop();
      return existing;
    }
    const account: PayAccount = createAccount({ row, servedMs, stepMs, clock, reread: () => ledger.reread(account.row) });
    if (row.state !== "open") account.stop();
    touch(account);
    for (const [id, old] of known) {
      if (known.size <= capacity) break;
      if (old === account || !old.isIdle()) continue;
      known.delete(id);
      old.stop();
    }
    return account;
  }

  /** Those that nobody asks for are forgotten first. */
  function touch(account: PayAccount): PayAccount {
    known.delete(account.id);
    known.set(account.id, account);
    return account;
  }

  const load = async (payment: bigint) => {
    const stored = await ledger.read(payment);
    return stored && keep(stored);
  };

  return {
    find: async (payment) => {
      const account = known.get(payment);
      if (account && (account.running() > 0 || clock.now() - account.lastUsedMs() < trustedMs)) return touch(account);
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
      if (row.state !== "open") account.stop();
      else if (account.closed.aborted) known.delete(row.payment);
    },
  };
}
