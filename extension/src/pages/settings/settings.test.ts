import { expect, test } from "vitest";
import { readPart } from "./backfill";

const range = {
  createdAfter: "2026-01-01T00:00:00Z",
  createdBefore: "2026-01-11T00:00:00Z",
};

test.each([
  ["2026-01-01T00:00:00Z", 0],
  ["2026-01-06T00:00:00Z", 0.5],
  ["2026-01-11T00:00:00Z", 1],
  // Amazon's clock and ours.
  ["2025-12-31T23:59:00Z", 0],
  ["2026-01-11T00:01:00Z", 1],
])("read until %s is %d of the range", (readUntil, part) => {
  expect(readPart({ ...range, readUntil })).toBe(part);
});

test("a range of no time has been read", () => {
  const { createdAfter } = range;
  expect(
    readPart({ createdAfter, createdBefore: createdAfter, readUntil: createdAfter }),
  ).toBe(1);
});
