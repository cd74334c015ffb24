import { AppError } from "../errors/index.ts";

/** The value types of a GGUF file's metadata that the tiny models need (numbers as in the GGUF specification, version 3). */
const typeNumbers = { u32: 4, i32: 5, f32: 6, bool: 7, text: 8, array: 9 } as const;
type Scalar = "u32" | "i32" | "f32" | "bool" | "text";

export interface GgufMeta {
  readonly key: string;
  readonly type: Scalar;
  /** An array makes the entry an array of `type`. */
  readonly value: number | boolean | string | readonly (number | string)[];
}

export interface GgufTensor {
  readonly name: string;
  /** Fastest-changing dimension first, as GGUF has them. */
  readonly shape: readonly number[];
  readonly values: Float32Array;
}

const ALIGNMENT = 32;
const F32_TENSOR = 0;

/** The bytes of a GGUF file, version 3, all tensors in F32. */
export function ggufBytes(meta: readonly GgufMeta[], tensors: readonly GgufTensor[]): Buffer {
  const parts: Buffer[] = [Buffer.from("GGUF"), u32(3), u64(tensors.length), u64(meta.length)];
  for (const entry of meta) {
    parts.push(text(entry.key));
    if (Array.isArray(entry.value)) {
      parts.push(u32(typeNumbers.array), u32(typeNumbers[entry.type]), u64(entry.value.length));
      for (const item of entry.value) parts.push(scalar(entry.type, item));
    } else parts.push(u32(typeNumbers[entry.type]), scalar(entry.type, entry.value as number | boolean | string));
  }
  let offset = 0;
  for (const { name, shape, values } of tensors) {
    parts.push(text(name), u32(shape.length), ...shape.map(u64), u32(F32_TENSOR), u64(offset));
    offset += padded(values.byteLength);
  }
  const head = pad(Buffer.concat(parts));
  const bodies = tensors.map(({ values }) => pad(Buffer.from(values.buffer, values.byteOffset, values.byteLength)));
  return Buffer.concat([head, ...bodies]);
}

function scalar(type: Scalar, value: number | boolean | string): Buffer {
  if (type === "text") return text(String(value));
  if (type === "bool") return Buffer.from([value ? 1 : 0]);
  if (typeof value !== "number") throw new AppError("INTERNAL", `GGUF metadata of type ${type} needs a number.`);
  const bytes = Buffer.alloc(4);
  if (type === "u32") bytes.writeUInt32LE(value);
  else if (type === "i32") bytes.writeInt32LE(value);
  else bytes.writeFloatLE(value);
  return bytes;
}

function u32(value: number): Buffer {
  return scalar("u32", value);
}

function u64(value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(BigInt(value));
  return bytes;
}

function text(value: string): Buffer {
  const bytes = Buffer.from(value, "utf8");
  return Buffer.concat([u64(bytes.length), bytes]);
}

const padded = (length: number): number => Math.ceil(length / ALIGNMENT) * ALIGNMENT;

function pad(bytes: Buffer): Buffer {
  return Buffer.concat([bytes], padded(bytes.length));
}
