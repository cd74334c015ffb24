import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Database, openStore, type Store, sql } from "@clawcompute/lib/store";
import { findPostgres, type LocalChain, type LocalPostgres, startLocalChain, startPostgres, startRpcProxy } from "@clawcompute/lib/testing";
import { contentsOf, type Difference, differenceOf, emptyStore, openReference } from "./contents.ts";
import { startFollower, startIndexerProcess } from "./follower.ts";
import { chance, type Story, startStory } from "./story.ts";

export interface FaultWorld {
  readonly local: LocalChain;
  readonly story: Story;
  readonly reference: Awaited<ReturnType<typeof openReference>>;
  /** An embedded store without anything in it; there is one, which is emptied. */
  emptyStore(): Promise<Database>;
  /** Its folder, for a process of its own. */
  emptyFolder(): Promise<string>;
  /** Undefined where PostgreSQL is not installed. */
  readonly postgres: LocalPostgres | undefined;
  stop(): Promise<void>;
}

export interface Fault {
  readonly name: string;
  readonly store: "PGlite" | "PostgreSQL";
  /** Lets the fault happen to an indexer at work; returns what happened, and the store's difference from a fresh index. */
  run(world: FaultWorld): Promise<{ what: string; difference: Difference }>;
}

/** With the stores that are wanted; PostgreSQL only where it is installed. */
export async function startFaultWorld(stores: readonly Fault["store"][]): Promise<FaultWorld> {
  const local = await startLocalChain({ blockTimeMs: 0 });
  const story = await startStory(local, 42);
  const reference = await openReference(local.network);
  const folder = await mkdtemp(join(tmpdir(), "indexer-"));
  let embedded: Store | undefined;
  const emptied = async () => {
    embedded ??= await openStore({ folder });
    await emptyStore(embedded.db);
    return embedded;
  };
  const postgres = stores.includes("PostgreSQL") && findPostgres() ? await startPostgres() : undefined;
  return {
    local,
    story,
    reference,
    emptyStore: async () => (await emptied()).db,
    emptyFolder: async () => {
      const store = await emptied();
      embedded = undefined;
      await store.close();
      return folder;
    },
    postgres,
    stop: async () => {
      await postgres?.stop();
      await Promise.all([reference.close(), embedded?.close()]);
      await rm(folder, { recursive: true, force: true });
      await local.stop();
    },
  };
}

async function compare(world: FaultWorld, db: Database): Promise<Difference> {
  return differenceOf(await contentsOf(db, world.local.network.chainId), await world.reference.contents());
}

/** An embedded store with a follower that goes through `urls`. */
async function withFollower(
  world: FaultWorld,
  urls: readonly string[],
  work: (follower: ReturnType<typeof startFollower>) => Promise<string>,
) {
  const db = await world.emptyStore();
  const follower = startFollower(db, { ...world.local.network, rpcUrls: urls });
  try {
    await follower.caughtUp();
    const what = await work(follower);
    await follower.stop();
    return { what, difference: await compare(world, db) };
  } finally {
    await follower.stop();
  }
}

const serverOf = ({ postgres }: FaultWorld): LocalPostgres => {
  if (!postgres) throw new Error("PostgreSQL is not installed");
  return postgres;
};

/** Looks again until it is so. */
async function becomes(condition: () => Promise<boolean>): Promise<void> {
  for (const limit = Date.now() + 100_000; !(await condition()); ) {
    if (Date.now() > limit) throw new Error("it did not become so within 100 s");
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

const blockOf = async (url: string): Promise<number> => ((await (await fetch(`${url}/health`)).json()) as { block: number }).block;
const chainBlock = async ({ local }: FaultWorld): Promise<number> => Number(await local.request<string>("eth_blockNumber"));

export const faults: readonly Fault[] = [
  {
    name: "re-organisations of depth 1 to 20 while indexing",
    store: "PGlite",
    run: (world) =>
      withFollower(world, [world.local.rpcUrl], async (follower) => {
        for (let depth = 1; depth <= 20; depth += 1) {
          await world.story.blocks(2, 5);
          if (depth % 2 === 0) await follower.caughtUp();
          await world.local.request("anvil_reorg", [depth, []]);
          await world.story.blocks(1, 5);
        }
        await follower.caughtUp();
        return `${follower.rollbacks()} rollbacks`;
      }),
  },
  {
    name: "an RPC endpoint that lags behind the other one",
    store: "PGlite",
    run: async (world) => {
      const [line, lagging] = [await startRpcProxy(world.local.rpcUrl), await startRpcProxy(world.local.rpcUrl)];
      try {
        return await withFollower(world, [line.url, lagging.url], async (follower) => {
          const frozen = await world.local.request<{ number: string }>("eth_getBlockByNumber", ["latest", false]);
          let stale = 0;
          lagging.decide(({ method, params }) => {
            stale += 1;
            if (method === "eth_getBlockByNumber" && (params[0] === "latest" || Number(params[0]) > Number(frozen.number)))
              return { result: params[0] === "latest" ? frozen : null };
            return method === "eth_getLogs" && (params[0] as { blockHash?: string }).blockHash === undefined ? { result: [] } : "pass";
          });
          for (let round = 1; round <= 2; round += 1) {
            line.decide(() => "refuse");
            await world.story.blocks(2);
            await becomes(async () => stale > round * 10);
            line.decide(() => "pass");
            await follower.caughtUp();
          }
          if (follower.rollbacks() > 0) throw new Error("something was rolled back on the word of an endpoint that lags");
          return `${stale} stale answers`;
        });
      } finally {
        await line.stop();
        await lagging.stop();
      }
    },
  },
  {
    name: "an RPC endpoint that names wrong blocks",
    store: "PGlite",
    run: async (world) => {
      const proxy = await startRpcProxy(world.local.rpcUrl);
      let lies = 0;
      try {
        return await withFollower(world, [proxy.url, world.local.rpcUrl], async (follower) => {
          const head = await chainBlock(world);
          proxy.decide(async ({ method, params }, answer) => {
            if (method !== "eth_getBlockByNumber" || (params[0] !== "latest" && Number(params[0]) < head - 4)) return "pass";
            lies += 1;
            const real = (await answer()) as Record<string, unknown> | null;
            const hash = (number: unknown) => `0x${Number(number).toString(16).padStart(64, "e")}`;
            return { result: real && { ...real, hash: hash(real.number), parentHash: hash(Number(real.number) - 1) } };
          });
          await world.story.blocks(4);
          await becomes(async () => lies > 20);
          proxy.decide(() => "pass");
          await follower.caughtUp();
          if (follower.rollbacks() > 0) throw new Error("something was rolled back on the word of an endpoint that is contradicted");
          return `${lies} wrong headers`;
        });
      } finally {
        await proxy.stop();
      }
    },
  },
  {
    name: "an RPC line that keeps breaking",
    store: "PGlite",
    run: async (world) => {
      const proxy = await startRpcProxy(world.local.rpcUrl);
      const random = chance(5);
      let broken = 0;
      proxy.decide(() => {
        if (random() > 1 / 40) return "pass";
        broken += 1;
        return random() < 0.5 ? "refuse" : "lose-reply";
      });
      try {
        const db = await world.emptyStore();
        const follower = startFollower(db, { ...world.local.network, rpcUrls: [proxy.url] });
        const target = await chainBlock(world);
        await follower.until((block) => block >= target);
        await follower.stop();
        return { what: `${broken} broken answers`, difference: await compare(world, db) };
      } finally {
        await proxy.stop();
      }
    },
  },
  {
    name: "the chain halted and resumed",
    store: "PGlite",
    run: (world) =>
      withFollower(world, [world.local.rpcUrl], async (follower) => {
        process.kill(world.local.pid, "SIGSTOP");
        await becomes(async () => follower.logger.records.some(({ fields }) => fields.code === "CHAIN_UNAVAILABLE"));
        process.kill(world.local.pid, "SIGCONT");
        await world.story.blocks(4);
        await follower.caughtUp();
        return "no answers for longer than a request may take";
      }),
  },
  {
    name: "kill -9 of the process in the middle of a range",
    store: "PostgreSQL",
    run: async (world) => {
      const databaseUrl = await serverOf(world).createDatabase();
      const store = await openStore({ databaseUrl });
      try {
        // The range waits for this lock after its events were written, and dies there.
        let release = () => {};
        const released = new Promise<void>((resolve) => {
          release = resolve;
        });
        let locked = () => {};
        const ready = new Promise<void>((resolve) => {
          locked = resolve;
        });
        const holding = store.db.transaction(async (tx) => {
          await tx.execute(sql`lock table indexer_totals in access exclusive mode`);
          locked();
          await released;
        });
        await ready;
        const env = { DATABASE_URL: databaseUrl, RPC_URL: world.local.rpcUrl };
        const first = await startIndexerProcess(env);
        await becomes(async () => {
          const { rows } = (await store.db.execute(
            sql`select 1 from pg_stat_activity where wait_event_type = 'Lock' and query like '%indexer_totals%' and datname = current_database()`,
          )) as unknown as { rows: unknown[] };
          return rows.length > 0;
        });
        await first.kill();
        release();
        await holding;
        const second = await startIndexerProcess(env);
        const target = await chainBlock(world);
        await becomes(async () => (await blockOf(second.url)) >= target);
        await second.kill();
        return { what: "died holding a half-written range", difference: await compare(world, store.db) };
      } finally {
        await store.close();
      }
    },
  },
  {
    name: "kill -9 of the process, embedded store",
    store: "PGlite",
    run: async (world) => {
      const folder = await world.emptyFolder();
      const proxy = await startRpcProxy(world.local.rpcUrl);
      try {
        const env = { INDEXER_DATA_DIR: folder, RPC_URL: proxy.url };
        const first = await startIndexerProcess(env);
        const half = Math.floor((await chainBlock(world)) / 2);
        // Blocks beyond half are not told before the process is gone, so it dies at work.
        let held = false;
        proxy.decide(({ method, params }) => {
          const from = (params[0] as { fromBlock?: string })?.fromBlock;
          if (method === "eth_getLogs" && Number(from ?? 0) > half) held = true;
          return held ? "refuse" : "pass";
        });
        await becomes(async () => (await blockOf(first.url)) > 0);
        await first.kill();
        proxy.decide(() => "pass");
        const second = await startIndexerProcess(env);
        const target = await chainBlock(world);
        await becomes(async () => (await blockOf(second.url)) >= target);
        await second.kill();
        const store = await openStore({ folder });
        const difference = await compare(world, store.db);
        await store.close();
        return { what: "went on from its folder after two kills", difference };
      } finally {
        await proxy.stop();
      }
    },
  },
  {
    name: "the database restarted while indexing",
    store: "PostgreSQL",
    run: async (world) => {
      const server = serverOf(world);
      const databaseUrl = await server.createDatabase();
      const store = await openStore({ databaseUrl });
      const follower = startFollower(store.db, world.local.network, databaseUrl);
      try {
        await follower.caughtUp();
        for (const how of ["fast", "crash"] as const) {
          await server.halt(how);
          await world.story.blocks(2);
          const failures = () => follower.logger.records.filter(({ fields }) => fields.code === "STORE_UNAVAILABLE").length;
          const before = failures();
          await becomes(async () => failures() > before || follower.logger.records.at(-1)?.message === "this process writes no longer");
          await server.resume();
          await follower.caughtUp();
        }
        await follower.stop();
        return { what: "shut down once, crashed once", difference: await compare(world, store.db) };
      } finally {
        await follower.stop();
        await store.close();
      }
    },
  },
  {
    name: "two writers racing, without the lock",
    store: "PostgreSQL",
    run: async (world) => {
      const databaseUrl = await serverOf(world).createDatabase();
      const [one, two] = [await openStore({ databaseUrl }), await openStore({ databaseUrl })];
      const followers = [startFollower(one.db, world.local.network), startFollower(two.db, world.local.network)];
      try {
        for (let round = 0; round < 6; round += 1) {
          await world.story.blocks(2, 6);
          if (round % 3 === 2) await world.local.request("anvil_reorg", [2, []]);
        }
        await world.story.blocks(1);
        await Promise.all(followers.map((follower) => follower.caughtUp()));
        for (const follower of followers) await follower.stop();
        const conflicts = followers.flatMap(({ logger }) => logger.records).filter(({ fields }) => fields.code === "STORE_CONFLICT").length;
        if (conflicts === 0) throw new Error("the writers never met");
        return { what: `${conflicts} writes refused`, difference: await compare(world, one.db) };
      } finally {
        for (const follower of followers) await follower.stop();
        await Promise.all([one.close(), two.close()]);
      }
    },
  },
  {
    name: "the writer dies, another replica takes over",
    store: "PostgreSQL",
    run: async (world) => {
      const databaseUrl = await serverOf(world).createDatabase();
      const env = { DATABASE_URL: databaseUrl, RPC_URL: world.local.rpcUrl };
      const roleOf = async (url: string) => ((await (await fetch(`${url}/health`)).json()) as { role: string }).role;
      const first = await startIndexerProcess(env);
      await becomes(async () => (await roleOf(first.url)) === "writer");
      const second = await startIndexerProcess(env);
      const waited = await roleOf(second.url);
      const target = await chainBlock(world);
      await becomes(async () => (await blockOf(second.url)) >= target);
      const died = performance.now();
      await first.kill();
      await becomes(async () => (await roleOf(second.url)) === "writer");
      const ms = Math.round(performance.now() - died);
      await world.story.blocks(2);
      const next = await chainBlock(world);
      await becomes(async () => (await blockOf(second.url)) >= next);
      await second.kill();
      const store = await openStore({ databaseUrl });
      const difference = await compare(world, store.db);
      await store.close();
      if (waited !== "waiting") throw new Error(`the second replica was ${waited} while the first one wrote`);
      return { what: `taken over after ${ms} ms`, difference };
    },
  },
  {
    name: "the disk full, then room again",
    store: "PostgreSQL",
    run: async (world) => {
      serverOf(world);
      // A server of its own that can write no file much beyond 1 MiB, which a table reaches soon.
      const server = await startPostgres({ maxFileKib: 1_100 });
      try {
        const databaseUrl = await server.createDatabase();
        const store = await openStore({ databaseUrl });
        const follower = startFollower(store.db, world.local.network, databaseUrl);
        await world.story.batches(100, 45);
        const refusals = () => follower.logger.records.filter(({ fields }) => fields.code === "STORE_FULL").length;
        await becomes(async () => refusals() > 1);
        const times = refusals();
        await server.halt();
        await server.resume();
        await follower.caughtUp();
        await follower.stop();
        const difference = await compare(world, store.db);
        await store.close();
        return { what: `${times} writes refused by the disk`, difference };
      } finally {
        await server.stop();
      }
    },
  },
];
