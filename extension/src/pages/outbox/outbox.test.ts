import { expect, test } from "vitest";
import { canDiscard, canRetry } from "./possible";

test.each([
  ["CONFIRM_SHIPMENT", "PENDING", true, true],
  ["CONFIRM_SHIPMENT", "SENDING", false, false],
  ["CONFIRM_SHIPMENT", "SUBMITTED", false, false],
  ["CONFIRM_SHIPMENT", "UNKNOWN", true, false],
  ["CONFIRM_SHIPMENT", "FAILED", true, false],
  ["CONFIRM_SHIPMENT", "SUCCEEDED", false, false],
  ["CONFIRM_SHIPMENT", "SUPERSEDED", false, false],
  ["CANCEL", "FAILED", false, false],
  ["CANCEL", "PENDING", true, true],
  ["REFUND", "FAILED", false, false],
] as const)("a %s that is %s: retry %s, discard %s", (kind, state, retry, discard) => {
  expect(canRetry({ kind, state })).toBe(retry);
  expect(canDiscard({ kind, state })).toBe(discard);
});
