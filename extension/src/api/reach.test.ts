/** Whatever the API offers, staff can reach from a page. */
import { readFileSync } from "node:fs";
import { Kind, parse, visit } from "graphql";
import { expect, test } from "vitest";

/** Root fields that no page asks for, each with its reason. */
const NOT_ON_A_PAGE: Record<string, string> = {
  amazonRefundCreate: "staff refund on the order's own page in the Dashboard",
  amazonShipmentConfirm: "staff fulfill on the order's own page in the Dashboard",
};

const documents = import.meta.glob<string>("../**/*.graphql", {
  query: "?raw",
  import: "default",
  eager: true,
});

function offered(): string[] {
  const schema = parse(readFileSync("../docs/schema.graphql", "utf8"));
  return schema.definitions.flatMap((each) =>
    each.kind === Kind.OBJECT_TYPE_EXTENSION
      ? (each.fields ?? []).map(({ name }) => name.value)
      : [],
  );
}

function asked(): Set<string> {
  const found = new Set<string>();
  for (const text of Object.values(documents)) {
    visit(parse(text), {
      OperationDefinition: ({ selectionSet }) => {
        for (const each of selectionSet.selections)
          if (each.kind === Kind.FIELD) found.add(each.name.value);
      },
    });
  }
  return found;
}

test("each query and mutation of ours has its page, or a reason for none", () => {
  const all = offered();
  const reached = asked();
  expect(all.length).toBeGreaterThan(40);
  expect(all.filter((name) => !reached.has(name)).sort()).toEqual(
    Object.keys(NOT_ON_A_PAGE).sort(),
  );
});
