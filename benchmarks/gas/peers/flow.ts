// @sablier/flow, from the bytecode in its npm package (solc 0.8.29, via-IR, 1,000,000 runs, shanghai).
import { type Address, parseEther } from "viem";

import { Chain, type Deployed, type Row } from "../chain.ts";
import { published } from "../compile.ts";
import { address, comptroller, fundedToken } from "./sablier.ts";

async function deployFlow(chain: Chain): Promise<Deployed> {
  const fees = await comptroller(chain);
  const descriptor = await chain.deploy(published("@sablier/flow/artifacts/FlowNFTDescriptor.json"));
  return chain.deploy(published("@sablier/flow/artifacts/SablierFlow.json"), [fees, descriptor.address]);
}

const RATE = parseEther("0.001");

export async function flow(): Promise<Row[]> {
  const chain = await Chain.start("Sablier Flow 3.0.1");
  const [s, r, k] = [chain.account(1), chain.account(2), chain.account(3)];
  const flow = await deployFlow(chain);
  const token = await fundedToken(chain, s, flow.address);
  let next = 1n;
  const create = async (op: string | undefined, to: Address, deposit: bigint): Promise<bigint> => {
    const args = deposit === 0n ? [s, to, RATE, 0, token.address, true] : [s, to, RATE, 0, token.address, true, deposit];
    const fn = deposit === 0n ? "create" : "createAndDeposit";
    if (op === undefined) await chain.send(s, flow, fn, args);
    else await chain.measure(op, s, flow, fn, args);
    return next++;
  };
  await create("create, first of both parties", r, 0n);
  await create("create", r, 0n);
  await create("createAndDeposit, contract holds no token yet", r, parseEther("100"));
  const a = await create("createAndDeposit", r, parseEther("100"));
  await chain.measure("deposit (top-up)", s, flow, "deposit", [a, parseEther("50"), s, r]);
  await chain.warp(1000);
  await chain.measure("withdrawMax by recipient, who holds no token yet", r, flow, "withdrawMax", [a, r]);
  await chain.warp(1000);
  await chain.measure("withdrawMax by recipient", r, flow, "withdrawMax", [a, r]);
  await chain.warp(1000);
  await chain.measure("withdrawMax to recipient by a third party", k, flow, "withdrawMax", [a, r]);
  await chain.warp(1000);
  await chain.measure("withdraw part (snapshot debt 0 -> set)", r, flow, "withdraw", [a, r, parseEther("0.3")]);
  await chain.measure("adjustRatePerSecond", s, flow, "adjustRatePerSecond", [a, RATE * 2n]);
  await chain.warp(100);
  await chain.measure("pause", s, flow, "pause", [a]);
  await chain.measure("restart", s, flow, "restart", [a, RATE]);
  await chain.warp(100);
  await chain.measure("refund part", s, flow, "refund", [a, parseEther("1")]);
  await chain.measure("refundAndPause", s, flow, "refundAndPause", [a, parseEther("1")]);
  await chain.measure("void (solvent)", s, flow, "void", [a]);
  await chain.measure("refundMax after void", s, flow, "refundMax", [a]);
  await chain.measure("withdrawMax after void", r, flow, "withdrawMax", [a, r]);

  const b = await create(undefined, r, parseEther("1"));
  await chain.warp(5000);
  await chain.measure("withdrawMax, insolvent (debt stays)", r, flow, "withdrawMax", [b, r]);
  await chain.measure("void (insolvent)", s, flow, "void", [b]);

  const c = await create(undefined, r, parseEther("100"));
  await chain.warp(1000);
  await chain.send(r, flow, "withdrawMax", [c, r]);
  await chain.warp(1000);
  await chain.measure("end a stream in one batch: withdrawMax + void + refundMax, by sender", s, flow, "batch", [
    [chain.data(flow, "withdrawMax", [c, r]), chain.data(flow, "void", [c]), chain.data(flow, "refundMax", [c])],
  ]);

  for (const n of [1, 10, 100]) {
    const ids: bigint[] = [];
    for (let i = 0; i < n; i++) ids.push(await create(undefined, r, parseEther("100")));
    await chain.warp(1000);
    await chain.measure(
      `batch of ${n} withdrawMax, one recipient`,
      r,
      flow,
      "batch",
      [ids.map((id) => chain.data(flow, "withdrawMax", [id, r]))],
      { n },
    );
  }
  for (const n of [10, 100]) {
    const ids: [bigint, Address][] = [];
    for (let i = 0; i < n; i++) ids.push([await create(undefined, address(i), parseEther("100")), address(i)]);
    await chain.warp(1000);
    const calls = ids.map(([id, to]) => chain.data(flow, "withdrawMax", [id, to]));
    await chain.send(k, flow, "batch", [calls]);
    await chain.warp(1000);
    await chain.measure(`batch of ${n} withdrawMax, ${n} recipients, by a third party`, k, flow, "batch", [calls], { n });
  }
  await chain.measure(
    "batch of 10 createAndDeposit",
    s,
    flow,
    "batch",
    [Array.from({ length: 10 }, () => chain.data(flow, "createAndDeposit", [s, r, RATE, 0, token.address, true, parseEther("100")]))],
    { n: 10 },
  );
  await chain.close();
  return chain.rows;
}
