// @sablier/lockup (linear streams), from its npm artifacts (solc 0.8.29, via-IR, 100 runs, shanghai).
import { type Address, parseEther } from "viem";

import { Chain, type Row } from "../chain.ts";
import { published } from "../compile.ts";
import { address, comptroller, fundedToken } from "./sablier.ts";

export async function lockup(): Promise<Row[]> {
  const chain = await Chain.start("Sablier Lockup 4.0.1 (linear)");
  const [s, r, k] = [chain.account(1), chain.account(2), chain.account(3)];
  const dir = "@sablier/lockup/artifacts";
  const math = await chain.deploy(published(`${dir}/libraries/LockupMath.json`));
  const helpers = await chain.deploy(published(`${dir}/libraries/LockupHelpers.json`));
  const descriptor = await chain.deploy(published(`${dir}/LockupNFTDescriptor.json`));
  const fees = await comptroller(chain);
  const lockup = await chain.deploy(published(`${dir}/SablierLockup.json`, { LockupMath: math.address, LockupHelpers: helpers.address }), [
    fees,
    descriptor.address,
  ]);
  const batcher = await chain.deploy(published(`${dir}/SablierBatchLockup.json`));
  const token = await fundedToken(chain, s, lockup.address);
  await chain.send(s, token, "approve", [batcher.address, 2n ** 256n - 1n]);

  const DAY = 86_400;
  const deposit = parseEther("100");
  const noUnlock = { start: 0n, cliff: 0n };
  const args = (to: Address) => [
    { sender: s, recipient: to, depositAmount: deposit, token: token.address, cancelable: true, transferable: true, shape: "linear" },
    noUnlock,
    1,
    { cliff: 0, total: 30 * DAY },
  ];
  let next = 1n;
  const create = async (to: Address, op?: string): Promise<bigint> => {
    if (op === undefined) await chain.send(s, lockup, "createWithDurationsLL", args(to));
    else await chain.measure(op, s, lockup, "createWithDurationsLL", args(to));
    return next++;
  };
  await create(r, "create, first of both parties and of the token");
  const a = await create(r, "create");
  await chain.warp(1000);
  await chain.measure("withdrawMax by recipient, who holds no token yet", r, lockup, "withdrawMax", [a, r]);
  await chain.warp(1000);
  await chain.measure("withdrawMax by recipient", r, lockup, "withdrawMax", [a, r]);
  await chain.warp(1000);
  await chain.measure("withdrawMax to recipient by a third party", k, lockup, "withdrawMax", [a, r]);
  await chain.warp(1000);
  await chain.measure("cancel", s, lockup, "cancel", [a]);
  await chain.measure("withdrawMax after cancel (depletes)", r, lockup, "withdrawMax", [a, r]);

  const b = await create(r);
  await chain.warp(1000);
  await chain.send(r, lockup, "withdrawMax", [b, r]);
  await chain.warp(1000);
  await chain.measure("end a stream in one batch: withdrawMax + cancel, by sender", s, lockup, "batch", [
    [chain.data(lockup, "withdrawMax", [b, r]), chain.data(lockup, "cancel", [b])],
  ]);

  for (const n of [1, 10, 100]) {
    const ids: bigint[] = [];
    for (let i = 0; i < n; i++) ids.push(await create(r));
    await chain.warp(1000);
    // Everything has been withdrawn from once, so `withdrawn` is not zero.
    for (const id of ids) await chain.send(r, lockup, "withdrawMax", [id, r]);
    await chain.warp(1000);
    const amounts: bigint[] = [];
    for (const id of ids) amounts.push(await chain.read<bigint>(lockup, "withdrawableAmountOf", [id]));
    await chain.measure(`withdrawMultiple of ${n}, one recipient`, r, lockup, "withdrawMultiple", [ids, amounts], { n });
    await chain.warp(1000);
    await chain.measure(`cancelMultiple of ${n}`, s, lockup, "cancelMultiple", [ids], { n });
  }
  for (const n of [10, 100]) {
    const ids: bigint[] = [];
    for (let i = 0; i < n; i++) ids.push(await create(address(i)));
    await chain.warp(1000);
    for (let i = 0; i < n; i++) await chain.send(k, lockup, "withdrawMax", [ids[i], address(i)]);
    await chain.warp(1000);
    const amounts: bigint[] = [];
    for (const id of ids) amounts.push(await chain.read<bigint>(lockup, "withdrawableAmountOf", [id]));
    await chain.measure(`withdrawMultiple of ${n}, ${n} recipients, by a third party`, k, lockup, "withdrawMultiple", [ids, amounts], {
      n,
    });
  }
  const one = {
    sender: s,
    recipient: r,
    depositAmount: deposit,
    cancelable: true,
    transferable: true,
    durations: { cliff: 0, total: 30 * DAY },
    unlockAmounts: noUnlock,
    granularity: 1,
    shape: "linear",
  };
  await chain.measure(
    "batch create of 10 (SablierBatchLockup)",
    s,
    batcher,
    "createWithDurationsLL",
    [lockup.address, token.address, Array.from({ length: 10 }, () => one)],
    { n: 10 },
  );
  await chain.close();
  return chain.rows;
}
