import { customType } from "drizzle-orm/pg-core";

/** A uint256 (raw units, stream id) as bigint. */
export const uint256 = customType<{ data: bigint; driverData: string }>({
  dataType: () => "numeric(78,0)",
  toDriver: (value) => value.toString(),
  fromDriver: (value) => BigInt(value),
});

/** 0x-prefixed bytes or an address, lower case. */
export const hex = customType<{ data: `0x${string}`; driverData: string }>({
  dataType: () => "text",
  toDriver: (value) => value.toLowerCase(),
  fromDriver: (value) => value as `0x${string}`,
});

/** Disjoint whole-number ranges, such as the milliseconds already counted; written by SQL only. */
export const int8multirange = customType<{ data: string }>({ dataType: () => "int8multirange" });

/** 0x-prefixed bytes, kept as such: half the size of text. */
export const bytes = customType<{ data: `0x${string}`; driverData: Uint8Array }>({
  dataType: () => "bytea",
  toDriver: (value) => Buffer.from(value.slice(2), "hex"),
  fromDriver: (value) => `0x${Buffer.from(value).toString("hex")}`,
});
