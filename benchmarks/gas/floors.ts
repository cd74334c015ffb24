// The floors: what the least body costs for a number of storage slots (contracts/Floor.sol; not for use).
import { type Address, encodeAbiParameters, hexToBigInt, keccak256, numberToHex, parseEther, parseSignature } from "viem";
import { privateKeyToAccount } from "viem/accounts";

import { Chain, type Row } from "./chain.ts";
import { bench } from "./compile.ts";
import { address } from "./peers/sablier.ts";

const RATE = 10n ** 12n + 345_678_901n; // about 0.000001 coin a second, with few zero bytes
const LONG = RATE * 1_000_000n;

export async function floors(): Promise<Row[]> {
  return [
    ...(await stored("FloorTwoSlot", "Floor: 2 slots, native")),
    ...(await stored("FloorThreeSlot", "Floor: 3 slots, native, accounting in one")),
    ...(await token()),
    ...(await hashed()),
    ...(await hashedToken()),
    ...(await voucher()),
  ];
}

async function stored(name: string, suite: string): Promise<Row[]> {
  const chain = await Chain.start(suite);
  const [s, r, k] = [chain.account(1), chain.account(2), chain.account(3)];
  const c = await chain.deploy(bench("Floor", name));
  let next = 1n;
  const create = async (to: Address, op?: string): Promise<bigint> => {
    if (op === undefined) await chain.send(s, c, "create", [to, RATE], LONG);
    else await chain.measure(op, s, c, "create", [to, RATE], { value: LONG });
    return next++;
  };
  await create(r);
  const a = await create(r, "create");
  await chain.measure("topUp", s, c, "topUp", [a], { value: RATE * 1000n });
  await chain.warp(1000);
  await chain.measure("withdraw by recipient (push to self)", r, c, "withdraw", [a]);
  if (name === "FloorTwoSlot") {
    await chain.warp(1000);
    await chain.measure("cancel, pushing both shares", s, c, "cancelPush", [a]);
    for (const first of [true, false]) {
      const b = await create(r);
      await chain.warp(1000);
      await chain.measure(`cancel, crediting the recipient${first ? ", credit 0 -> set" : ""}`, s, c, "cancelPull", [b]);
    }
    await chain.measure("claim credit (credit -> 0)", r, c, "claim", []);
    await chain.send(s, c, "cancelPull", [await create(r)]);
  }
  const variants = name === "FloorTwoSlot" ? ["batchUpdate", "batchUpdateQuiet"] : ["batchUpdate"];
  for (const fn of variants) {
    for (const n of [1, 10, 100]) {
      const ids: bigint[] = [];
      for (let i = 0; i < n; i++) ids.push(await create(r));
      await chain.warp(1000);
      await chain.send(k, c, fn, [ids]);
      await chain.warp(1000);
      await chain.measure(`${fn} of ${n}, one recipient`, k, c, fn, [ids], { n });
    }
  }
  for (const n of [10, 100]) {
    const ids: bigint[] = [];
    for (let i = 0; i < n; i++) ids.push(await create(address(i)));
    await chain.warp(1000);
    await chain.send(k, c, "batchUpdate", [ids]);
    await chain.warp(1000);
    await chain.measure(`batchUpdate of ${n}, ${n} recipients`, k, c, "batchUpdate", [ids], { n });
  }
  await chain.close();
  return chain.rows;
}

async function token(): Promise<Row[]> {
  const chain = await Chain.start("Floor: 3 slots, ERC-20");
  const [s, r, k] = [chain.account(1), chain.account(2), chain.account(3)];
  const c = await chain.deploy(bench("Floor", "FloorToken"));
  const t = await chain.deploy(bench("Bench", "BenchToken"), [18]);
  await chain.send(s, t, "mint", [s, 10n ** 30n]);
  await chain.send(s, t, "mint", [r, 1n]);
  await chain.send(s, t, "mint", [k, 1n]);
  await chain.send(s, t, "approve", [c.address, 2n ** 256n - 1n]);
  let next = 1n;
  const create = async (to: Address, op?: string): Promise<bigint> => {
    const args = [t.address, to, RATE, 1_000_000];
    if (op === undefined) await chain.send(s, c, "create", args);
    else await chain.measure(op, s, c, "create", args);
    return next++;
  };
  await create(r);
  const a = await create(r, "create");
  await chain.measure("topUp", s, c, "topUp", [a, 1000]);
  await chain.warp(1000);
  await chain.measure("withdraw by recipient", r, c, "withdraw", [a]);
  await chain.warp(1000);
  await chain.measure("cancel, pushing both shares", s, c, "cancelPush", [a]);
  for (const n of [1, 10, 100]) {
    const ids: bigint[] = [];
    for (let i = 0; i < n; i++) ids.push(await create(r));
    await chain.warp(1000);
    await chain.send(k, c, "batchUpdate", [ids]);
    await chain.warp(1000);
    await chain.measure(`batchUpdate of ${n}, one recipient`, k, c, "batchUpdate", [ids], { n });
  }
  await chain.close();
  return chain.rows;
}

async function hashed(): Promise<Row[]> {
  const chain = await Chain.start("Floor: 1 slot, native, terms in calldata");
  const [s, r, k] = [chain.account(1), chain.account(2), chain.account(3)];
  const c = await chain.deploy(bench("Floor", "FloorHash"));
  let salt = 0x1234_5678_9abc_def1n;
  const create = async (to: Address, op?: string) => {
    const terms = { payer: s, payee: to, rate: RATE, salt: salt++ };
    if (op === undefined) await chain.send(s, c, "create", [to, RATE, terms.salt], LONG);
    else await chain.measure(op, s, c, "create", [to, RATE, terms.salt], { value: LONG });
    return terms;
  };
  await create(r);
  const a = await create(r, "create");
  await chain.measure("topUp", s, c, "topUp", [a], { value: RATE * 1000n });
  await chain.warp(1000);
  await chain.measure("withdraw by recipient (push to self)", r, c, "withdraw", [a]);
  await chain.warp(1000);
  await chain.measure("cancel, pushing both shares", s, c, "cancelPush", [a]);
  for (const n of [1, 10, 100]) {
    const terms = [];
    for (let i = 0; i < n; i++) terms.push(await create(r));
    await chain.warp(1000);
    await chain.send(k, c, "batchUpdate", [terms]);
    await chain.warp(1000);
    await chain.measure(`batchUpdate of ${n}`, k, c, "batchUpdate", [terms], { n });
  }
  await chain.close();
  return chain.rows;
}

async function hashedToken(): Promise<Row[]> {
  const chain = await Chain.start("Floor: 1 slot, ERC-20, terms in calldata");
  const [s, r, k] = [chain.account(1), chain.account(2), chain.account(3)];
  const c = await chain.deploy(bench("Floor", "FloorHashToken"));
  const t = await chain.deploy(bench("Bench", "BenchToken"), [18]);
  for (const [who, amount] of [
    [s, 10n ** 30n],
    [r, 1n],
    [k, 1n],
  ] as const)
    await chain.send(s, t, "mint", [who, amount]);
  await chain.send(s, t, "approve", [c.address, 2n ** 256n - 1n]);
  let salt = 0x1234_5678_9abc_def1n;
  const create = async (op?: string) => {
    const terms = { payer: s, payee: r, token: t.address, rate: RATE, salt: salt++ };
    const args = [t.address, r, RATE, terms.salt, 1_000_000];
    if (op === undefined) await chain.send(s, c, "create", args);
    else await chain.measure(op, s, c, "create", args);
    return terms;
  };
  await create();
  const a = await create("create");
  await chain.measure("topUp", s, c, "topUp", [a, 1000]);
  await chain.warp(1000);
  await chain.measure("withdraw by recipient", r, c, "withdraw", [a]);
  await chain.warp(1000);
  await chain.measure("cancel, pushing both shares", s, c, "cancelPush", [a]);
  for (const n of [1, 10, 100]) {
    const terms = [];
    for (let i = 0; i < n; i++) terms.push(await create());
    await chain.warp(1000);
    await chain.send(k, c, "batchUpdate", [terms]);
    await chain.warp(1000);
    await chain.measure(`batchUpdate of ${n}`, k, c, "batchUpdate", [terms], { n });
  }
  await chain.close();
  return chain.rows;
}

async function voucher(): Promise<Row[]> {
  const chain = await Chain.start("Floor: voucher channel, 1 slot, native");
  const r = chain.account(2);
  const c = await chain.deploy(bench("Floor", "FloorVoucher"));
  const payer = privateKeyToAccount(keccak256(numberToHex(7)));
  await chain.rpc("hardhat_setBalance", [payer.address, numberToHex(parseEther("1000"))]);
  await chain.rpc("hardhat_impersonateAccount", [payer.address]);
  let salt = 0x1234_5678_9abc_def1n;
  const open = async (op?: string) => {
    const terms = { payer: payer.address, payee: r, salt: salt++ };
    if (op === undefined) await chain.send(payer.address, c, "open", [r, terms.salt], parseEther("1"));
    else await chain.measure(op, payer.address, c, "open", [r, terms.salt], { value: parseEther("1") });
    return terms;
  };
  const sign = async (terms: { payer: Address; payee: Address; salt: bigint }, cumulative: bigint) => {
    const id = keccak256(
      encodeAbiParameters([{ type: "address" }, { type: "address" }, { type: "uint64" }], [terms.payer, terms.payee, terms.salt]),
    );
    const signature = await payer.signTypedData({
      domain: { name: "FloorVoucher", version: "1", chainId: 31337, verifyingContract: c.address },
      types: {
        Voucher: [
          { name: "id", type: "bytes32" },
          { name: "cumulative", type: "uint256" },
        ],
      },
      primaryType: "Voucher",
      message: { id, cumulative },
    });
    const { r: sr, s: ss, yParity } = parseSignature(signature);
    return [sr, numberToHex(hexToBigInt(ss) | (BigInt(yParity) << 255n), { size: 32 })] as const;
  };
  await open();
  const a = await open("open");
  await chain.measure("topUp", payer.address, c, "topUp", [a], { value: parseEther("0.123456789") });
  await chain.measure("settle a voucher, first", r, c, "settle", [
    a,
    parseEther("0.123456789"),
    ...(await sign(a, parseEther("0.123456789"))),
  ]);
  await chain.measure("settle a voucher", r, c, "settle", [a, parseEther("0.223456789"), ...(await sign(a, parseEther("0.223456789")))]);
  await chain.measure("close with a voucher, refunding the payer", r, c, "close", [
    a,
    parseEther("0.323456789"),
    ...(await sign(a, parseEther("0.323456789"))),
  ]);
  await chain.close();
  return chain.rows;
}
