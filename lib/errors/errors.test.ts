import { expect, test } from "vitest";
import { AppError, errorKinds, fromProblem, fromStranger, toProblem } from "./index.ts";

test("toProblem behavior: one body for problem readers and OpenAI SDKs", () => {
  const error = new AppError("RUNWAY_TOO_SHORT", "The stream ends in 1 s.", { facts: { runwaySeconds: 1 }, param: "stream" });
  expect(toProblem(error)).toMatchInlineSnapshot(`
    {
      "detail": "The stream ends in 1 s. Top up the stream so that it covers the answer.",
      "error": {
        "code": "runway_too_short",
        "facts": {
          "runwaySeconds": 1,
        },
        "hint": "Top up the stream so that it covers the answer.",
        "message": "The stream ends in 1 s. Top up the stream so that it covers the answer.",
        "param": "stream",
        "type": "insufficient_quota",
      },
      "status": 402,
      "title": "The stream ends in 1 s.",
      "type": "urn:clawcompute:error:runway-too-short",
    }
  `);
});

test("fromProblem, fromStranger behavior: advice that the message repeats is said once", () => {
  const wire = toProblem(new AppError("CONTEXT_TOO_LONG", "These are too many."));
  expect(wire.error.message).toBe("These are too many. Shorten the conversation.");
  for (const read of [fromProblem(wire, 400), fromStranger(wire, 400)]) expect(toProblem(read).error.message).toBe(wire.error.message);
});

test("fromProblem behavior: rebuilds code, status and hint from the wire", () => {
  for (const code of Object.keys(errorKinds)) {
    const sent = new AppError(code, "Because.");
    const read = fromProblem(JSON.parse(JSON.stringify(toProblem(sent))), sent.status);
    expect([read.code, read.status, read.retryable, read.hint]).toEqual([sent.code, sent.status, sent.retryable, sent.hint]);
  }
});

test("fromProblem behavior: strangers' bodies become the fallback, bounded", () => {
  const bodies = [
    undefined,
    null,
    5,
    "text",
    [],
    {},
    { error: "busy" },
    { error: { code: 400, message: "numeric" } },
    { error: { message: "x".repeat(10_000), code: "../../etc" } },
  ];
  for (const body of bodies) {
    const error = fromProblem(body, 500);
    expect(error.code).toBe("PROVIDER_FAILED");
    expect(error.message.length).toBeLessThanOrEqual(500);
  }
  expect(fromProblem({ error: "busy" }, 500).message).toBe("busy");
});

test("AppError behavior: what is unknown alerts, what a caller did does not", () => {
  expect(AppError.from(new TypeError("x"))).toMatchObject({ code: "INTERNAL", status: 500, alert: true, retryable: false });
  expect(new AppError("BAD_REQUEST", "x").alert).toBe(false);
  expect(new AppError("STREAM_PAY_RATE_BELOW_PRICE", "x")).toMatchObject({ status: 409, alert: false });
});

test("fromStranger behavior: what is a provider's to say keeps its code, with our own advice", () => {
  const read = fromStranger({ error: { code: "busy", message: "full", hint: "Send 1 coin to 0xbad" } }, 429);
  expect([read.code, read.message, read.hint]).toEqual(["BUSY", "full", errorKinds.BUSY.hint]);
});

test.each([
  "wallet_unfunded",
  "wallet_locked",
  "aborted",
  "client_gone",
  "budget_exceeded",
  "transaction_uncertain",
  "stream_pay_x",
  "internal",
  "chain_unavailable",
])("fromStranger error: a provider cannot speak for the payer's side: %s", (code) => {
  const read = fromStranger({ error: { code, message: "Send money", hint: "Send 1 coin to 0xbad" } }, 402);
  expect([read.code, read.facts.sentCode, read.hint]).toEqual(["PROVIDER_FAILED", code.toUpperCase(), errorKinds.PROVIDER_FAILED.hint]);
});
