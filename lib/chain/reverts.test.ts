import { encodeErrorResult, parseAbi, parseAbiItem } from "viem";
import { describe, expect, it } from "vitest";
import { computeRegistryAbi, paymentChannelAbi, streamPayAbi } from "../abi/index.ts";
import { AppError } from "../errors/index.ts";
import { remedies } from "./remedies.ts";
import { codeOfError, decodeRevert } from "./reverts.ts";

const samples: Record<string, unknown> = {
  address: "0x1111111111111111111111111111111111111111",
  uint8: 2,
  uint256: 2n ** 200n,
  bytes32: `0x${"22".repeat(32)}`,
  string: "text",
};

const errors = [...computeRegistryAbi, ...streamPayAbi, ...paymentChannelAbi].filter((item) => item.type === "error");

describe("decodeRevert", () => {
  it("behavior: finds errors in the ABIs", () => {
    expect(errors.length).toBeGreaterThan(50);
  });

  it.each([...new Map(errors.map((error) => [error.name, error])).values()].map((error) => [error.name, error] as const))(
    "behavior: %s has its code, its arguments as facts and a remedy",
    (name, error) => {
      const args = error.inputs.map((input) => samples[input.type]);
      const data = encodeErrorResult({ abi: [error], errorName: name, args } as never);
      const decoded = decodeRevert({ message: "call failed", cause: { code: 3, message: "execution reverted", data } });
      const ours = /^(ComputeRegistry|StreamPay|PaymentChannel)_/.test(name);
      expect(decoded.code).toBe(ours ? codeOfError(name) : "TRANSACTION_REVERTED");
      expect(decoded.hint).toBe(remedies[name]);
      expect(decoded.hint).toMatch(/^[A-Z].{15,}\.$/s);
      if (ours) {
        expect(decoded.status).toBe(409);
        expect(decoded.alert).toBe(false);
      }
      for (const [index, input] of error.inputs.entries()) {
        const expected = args[index];
        expect(decoded.facts[input.name]).toEqual(typeof expected === "bigint" ? String(expected) : expected);
      }
      expect(() => JSON.stringify(decoded.facts)).not.toThrow();
    },
  );

  it("behavior: every remedy belongs to an error", () => {
    const tokens = [
      "ERC20InsufficientBalance",
      "ERC20InsufficientAllowance",
      "ERC2612ExpiredSignature",
      "ERC2612InvalidSigner",
      "SafeERC20FailedOperation",
    ];
    const names = new Set<string>([...errors.map((error) => error.name), ...tokens]);
    expect(Object.keys(remedies).filter((name) => !names.has(name))).toEqual([]);
  });

  it("behavior: an error of a token names it and its arguments", () => {
    const abi = parseAbi(["error ERC20InsufficientAllowance(address spender, uint256 allowance, uint256 needed)"]);
    const data = encodeErrorResult({ abi, args: ["0x1111111111111111111111111111111111111111", 1n, 5n] });
    expect(decodeRevert({ data })).toMatchObject({
      code: "TRANSACTION_REVERTED",
      facts: { error: "ERC20InsufficientAllowance", allowance: "1", needed: "5" },
    });
  });

  it("behavior: a reason string and a panic are told", () => {
    const text = encodeErrorResult({ abi: [parseAbiItem("error Error(string)")], args: ["too late"] });
    expect(decodeRevert({ data: text })).toMatchObject({ code: "TRANSACTION_REVERTED", facts: { reason: "too late" } });
    const panic = encodeErrorResult({ abi: [parseAbiItem("error Panic(uint256)")], args: [0x11n] });
    expect(decodeRevert({ data: panic })).toMatchObject({ code: "TRANSACTION_REVERTED", facts: { reason: "panic code 17" } });
  });

  it("behavior: an unknown error keeps its raw data", () => {
    expect(decodeRevert({ data: "0xdeadbeef0001" })).toMatchObject({ code: "TRANSACTION_REVERTED", facts: { data: "0xdeadbeef0001" } });
  });

  it("behavior: an AppError passes unchanged", () => {
    const error = new AppError("BUSY", "Full.");
    expect(decodeRevert(error)).toBe(error);
  });

  it("error: whatever is thrown, it is an AppError", () => {
    const odd: unknown[] = [
      undefined,
      null,
      0,
      "",
      "0x",
      {},
      [],
      { data: 5 },
      { data: "0x1" },
      { data: { data: "zz" } },
      { raw: "0x00" },
      new Error("x"),
    ];
    for (let bytes = 0; bytes < 200; bytes += 1) {
      const data = `0x${Array.from({ length: bytes }, (_, index) => (((index + 7) * 2654435761 * (bytes + 1)) % 256).toString(16).padStart(2, "0")).join("")}`;
      odd.push({ data }, { cause: { data } });
    }
    for (const error of errors) {
      const truncated = encodeErrorResult({
        abi: [error],
        errorName: error.name,
        args: error.inputs.map((input) => samples[input.type]),
      } as never).slice(0, 12);
      odd.push({ data: truncated });
    }
    const circular: { cause?: unknown } = {};
    circular.cause = circular;
    odd.push(circular);
    for (const thrown of odd) expect(decodeRevert(thrown)).toBeInstanceOf(AppError);
  });
});
