import { AppError } from "@clawcompute/lib/errors";
import type { Clock } from "@clawcompute/lib/node";
import { type Asset, inWords } from "../asset.ts";
import { createWindow, DAY_MS, HOUR_MS, type SpendWindow } from "./window.ts";

/** Raw units; undefined means no limit of that kind. */
export interface SpendLimits {
  readonly perRequest?: bigint | undefined;
  readonly perHour?: bigint | undefined;
  readonly perDay?: bigint | undefined;
  readonly total?: bigint | undefined;
}

/** Somebody who uses this gateway. */
export interface Client {
  readonly name: string;
  readonly limits: SpendLimits;
  /** May see the books and end every stream. */
  readonly owner?: boolean;
  /** Undefined: every one that the gateway allows. */
  readonly models?: readonly string[] | undefined;
  readonly providers?: readonly number[] | undefined;
}

/** Money of a deposit that may be gone at worst, until it is known what became of it. */
export interface DepositHold {
  readonly wei: bigint;
  /** Throws as `holdDeposit` does; then nothing changed. */
  grow(wei: bigint): void;
  /** That much was not sent after all. */
  shrink(wei: bigint): void;
  /** What was really spent, gas included; the rest is free again. */
  settle(spentWei: bigint): void;
}

export interface RequestHold {
  /** The most that this request may cost. */
  readonly mostWei: bigint;
  settle(costWei: bigint): void;
}

/**
 * P14: what is spent plus what could at worst still be spent never exceeds a limit. Deposits of open streams count in full, because
 * the chain's clock would take them if this process died.
 */
export interface Budget {
  /** What may still be deposited now. */
  room(): bigint;
  /** Throws BUDGET_EXCEEDED when a person must act, SPENDING_PAUSED when waiting helps. */
  holdDeposit(wei: bigint): DepositHold;
  /** A deposit that is out already. Never throws. */
  adopt(wei: bigint): DepositHold;
  /** What a deposit became when it moved: part is spent, the rest is held for the next stream. Never throws. */
  holdMoved(from: DepositHold, spentWei: bigint, wei: bigint): DepositHold;
  /** Throws the same for one client's own limits. */
  admit(client: Client, mostWei?: bigint): RequestHold;
  /** Gas and other costs that no hold covers. */
  spend(wei: bigint): void;
  /** What an earlier life of this process spent. */
  restore(entries: readonly { readonly wei: bigint; readonly atMs: number; readonly client: string | undefined }[]): void;
  report(): BudgetReport;
}

export interface BudgetReport {
  readonly heldWei: bigint;
  readonly hourWei: bigint;
  readonly dayWei: bigint;
  readonly totalWei: bigint;
  readonly limits: SpendLimits;
}

/** Longer waits are a person's business. */
const WORTH_WAITING_MS = 120_000;

interface Account {
  readonly window: SpendWindow;
  held: bigint;
}

export function createBudget({ limits, clock, asset }: { limits: SpendLimits; clock: Clock; asset: Asset }): Budget {
  const all: Account = { window: createWindow(), held: 0n };
  const clients = new Map<string, Account>();
  const accountOf = (name: string): Account => {
    const known = clients.get(name);
    if (known) return known;
    const fresh = { window: createWindow(), held: 0n };
    clients.set(name, fresh);
    return fresh;
  };

  const rules = ({ perHour, perDay, total }: SpendLimits) =>
    [
      { name: "an hour", limit: perHour, lengthMs: HOUR_MS },
      { name: "a day", limit: perDay, lengthMs: DAY_MS },
      { name: "in total", limit: total, lengthMs: undefined },
    ] as const;
  const spent = ({ window }: Account, lengthMs: number | undefined) =>
    lengthMs === undefined ? window.total : window.sum(clock.now() - lengthMs);

  const roomOf = (account: Account, own: SpendLimits): bigint | undefined => {
    let room: bigint | undefined;
    for (const { limit, lengthMs } of rules(own)) {
      if (limit === undefined) continue;
      const left = limit - spent(account, lengthMs) - account.held;
      room = room === undefined || left < room ? left : room;
    }
    return room;
  };

  function refuse(account: Account, own: SpendLimits, wei: bigint, whose: string): AppError {
    for (const { name, limit, lengthMs } of rules(own)) {
      if (limit === undefined) continue;
      const gone = spent(account, lengthMs);
      if (gone + account.held + wei <= limit) continue;
      const facts = { limitWei: String(limit), spentWei: String(gone), heldWei: String(account.held), neededWei: String(wei) };
      const words = `${whose} limit of ${inWords(asset, limit)} ${name}`;
      if (gone + wei <= limit) {
        return new AppError("SPENDING_PAUSED", `What is under way now could use up ${words}.`, { facts, retryAfterSeconds: 3 });
      }
      const waitMs =
        lengthMs === undefined
          ? Number.POSITIVE_INFINITY
          : account.window.freeAtMs(gone + wei - limit, clock.now(), lengthMs) - clock.now();
      if (wei <= limit && waitMs <= WORTH_WAITING_MS) {
        const retryAfterSeconds = Math.max(1, Math.ceil(waitMs / 1000));
        return new AppError("SPENDING_PAUSED", `${words[0]?.toUpperCase()}${words.slice(1)} is used up for a moment.`, {
          facts,
          retryAfterSeconds,
        });
      }
      const until = Number.isFinite(waitMs) ? ` It frees at ${new Date(clock.now() + waitMs).toISOString()}.` : "";
      return new AppError("BUDGET_EXCEEDED", `${words[0]?.toUpperCase()}${words.slice(1)} is used up.${until}`, { facts });
    }
    return new AppError("BUDGET_EXCEEDED", `${whose} limit is used up.`);
  }

  function checkRoom(account: Account, own: SpendLimits, wei: bigint, whose: string): void {
    const room = roomOf(account, own);
    if (room !== undefined && wei > room) throw refuse(account, own, wei, whose);
  }

  function hold(wei: bigint): DepositHold {
    all.held += wei;
    let held = wei;
    let open = true;
    return {
      get wei() {
        return held;
      },
      grow: (more) => {
        checkRoom(all, limits, more, "the gateway's");
        all.held += more;
        held += more;
      },
      shrink: (less) => {
        if (!open) return;
        all.held -= less;
        held -= less;
      },
      settle: (spentWei) => {
        if (!open) return;
        open = false;
        all.held -= held;
        all.window.add(spentWei, clock.now());
      },
    };
  }

  return {
    room: () => {
      const room = roomOf(all, limits);
      return room === undefined ? 2n ** 128n - 1n : room > 0n ? room : 0n;
    },
    holdDeposit: (wei) => {
      checkRoom(all, limits, wei, "the gateway's");
      return hold(wei);
    },
    adopt: hold,
    holdMoved: (from, spentWei, wei) => {
      from.settle(spentWei);
      return hold(wei);
    },
    admit: (client, mostWei) => {
      const account = accountOf(client.name);
      const caps = [mostWei, client.limits.perRequest, limits.perRequest].filter((cap) => cap !== undefined);
      let most = caps.length ? caps.reduce((a, b) => (a < b ? a : b)) : 2n ** 128n - 1n;
      const room = roomOf(account, client.limits);
      if (room !== undefined && room <= 0n) throw refuse(account, client.limits, 1n, `${client.name}'s`);
      if (room !== undefined && room < most) most = room;
      // Without limits of its own there is nothing to keep for others.
      const held = room === undefined ? 0n : most;
      account.held += held;
      let open = true;
      return {
        mostWei: most,
        settle: (costWei) => {
          if (!open) return;
          open = false;
          account.held -= held;
          account.window.add(costWei, clock.now());
        },
      };
    },
    spend: (wei) => all.window.add(wei, clock.now()),
    restore: (entries) => {
      for (const { wei, atMs, client } of entries) (client === undefined ? all : accountOf(client)).window.add(wei, atMs);
    },
    report: () => ({
      heldWei: all.held,
      hourWei: spent(all, HOUR_MS),
      dayWei: spent(all, DAY_MS),
      totalWei: all.window.total,
      limits,
    }),
  };
}
