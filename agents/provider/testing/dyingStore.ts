import { type Database, outbox, payTransfers, type Store } from "@clawcompute/lib/store";

/** Where a process that moves money stops; each is right after what the one before has written. */
export type Death =
  | "reserved, nothing signed"
  | "signed, not in the wallet's book"
  | "in the wallet's book, not sent"
  | "mined, still in the wallet's book"
  | "mined and struck out, not counted";

/** The store of a process that stops at one step: from then on nothing that it does is kept, and nothing that it signs leaves it. */
export function dyingStore(store: Store): Store & { dieAt(death: Death): void; isDead(): boolean } {
  let death: Death | undefined;
  let dead = false;
  const end = (): never => {
    dead = true;
    throw new Error("the process has stopped");
  };
  const dies = (at: Death) => dead || death === at;
  const db = new Proxy(store.db, {
    get: (target, name) => {
      const method = Reflect.get(target, name);
      if (typeof method !== "function") return method;
      return (...args: unknown[]) => {
        const [table] = args;
        if (dead) end();
        if (name === "update" && table === payTransfers && dies("reserved, nothing signed")) end();
        if (name === "insert" && table === outbox && dies("signed, not in the wallet's book")) end();
        if (name === "delete" && table === outbox && dies("mined, still in the wallet's book")) end();
        // Nothing before the transfer is mined needs a transaction of the store; the first one after it counts what has moved.
        if (name === "transaction" && dies("mined and struck out, not counted")) end();
        const made = method.apply(target, args);
        if (name !== "insert" || table !== outbox || !dies("in the wallet's book, not sent")) return made;
        return { values: (row: object) => ({ onConflictDoUpdate: (set: object) => made.values(row).onConflictDoUpdate(set).then(end) }) };
      };
    },
  }) as Database;
  return {
    db,
    kind: store.kind,
    close: async () => {},
    dieAt: (at) => {
      death = at;
    },
    isDead: () => dead,
  };
}
