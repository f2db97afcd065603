import { expect, test } from "vitest";
import { ceiling } from "./chart";
import { variablesOf, whyNot } from "./overview";

test.each([
  [0, 1],
  [0.3, 0.5],
  [1, 1],
  [7, 10],
  [12, 20],
  [43, 50],
  [51, 100],
  [10_001, 20_000],
])("a chart of up to %d ends at %d", (most, end) => {
  expect(ceiling(most)).toBeCloseTo(end);
});

test("a store's dashboard asks for that store only", () => {
  const asked = variablesOf(new URLSearchParams("account=QQ%3D%3D&days=7"));
  expect(asked).toMatchObject({ accounts: ["QQ=="], days: 7 });
  for (const filter of [asked.recent, asked.toShip, asked.atRisk])
    expect(filter).toMatchObject({ accounts: ["QQ=="] });
  expect(variablesOf(new URLSearchParams("days=31"))).toMatchObject({ days: 30 });
});

test("a time that has a column of its own is not said again", () => {
  const nextRunAt = "2026-11-20T12:04:00+00:00";
  const waitsFor = "It runs next at 2026-11-20 12:04:00 UTC.";
  expect(whyNot({ nextRunAt, waitsFor })).toBeUndefined();
  expect(whyNot({ nextRunAt, waitsFor: "The account is paused." })).toBeTruthy();
  expect(whyNot({ waitsFor })).toBe(waitsFor);
});
