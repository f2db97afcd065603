import { expect, test } from "vitest";
import { policyOf } from "./notifications";
import { applied } from "./sku-rule";

test.each([
  ["AMZ-1234", "AMZ-", "", "1234"],
  ["1234-DE", "", "-DE", "1234"],
  ["AMZ-1234-DE", "AMZ-", "-DE", "1234"],
  ["1234", "AMZ-", "-DE", "1234"],
  ["amz-1234", "AMZ-", "", "amz-1234"],
  ["AMZ-AMZ-1", "AMZ-", "", "AMZ-1"],
  ["1234", "", "", "1234"],
  // Nothing would be left: it is looked for as it is.
  ["AMZ-", "AMZ-", "", "AMZ-"],
  ["A-B", "A-", "-B", "B"],
])("%s without %s and %s is %s", (sku, prefix, suffix, found) => {
  expect(applied(sku, { prefix, suffix })).toBe(found);
});

test("the policy is about the queue that is entered", () => {
  const arn = "arn:aws:sqs:eu-north-1:123456789012:orders";
  expect(JSON.parse(policyOf(` ${arn} `)).Statement[0].Resource).toBe(arn);
  expect(JSON.parse(policyOf("")).Statement[0].Resource).toMatch(/^arn:aws:sqs:/);
});
