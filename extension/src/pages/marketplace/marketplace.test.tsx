import { readFileSync } from "node:fs";
import { cleanup, fireEvent, render, screen, waitFor } from "@testing-library/react";
import { Kind, parse } from "graphql";
import { Client, fetchExchange, Provider } from "urql";
import { afterEach, expect, test } from "vitest";
import type { SettingsFragment } from "../../api/generated/graphql";
import { Language } from "../../i18n";
import { Form } from "./marketplace";

const schema = readFileSync("../docs/schema.graphql", "utf8");

/** What the API takes and the page does not offer, each with its reason. None now. */
const NOT_OFFERED: Record<string, string> = {};

function fieldsOf(input: string): string[] {
  const found = parse(schema).definitions.find(
    (each) => each.kind === Kind.INPUT_OBJECT_TYPE_DEFINITION && each.name.value === input,
  );
  if (found?.kind !== Kind.INPUT_OBJECT_TYPE_DEFINITION) throw new Error(`No ${input}.`);
  return (found.fields ?? []).map(({ name }) => name.value);
}

const marketplace: SettingsFragment = {
  id: "M",
  countryCode: "DE",
  currency: "EUR",
  domain: "amazon.de",
  isParticipating: true,
  isMapped: true,
  importOrders: true,
  customerCreation: "GUEST",
  orderNumberSource: "SHOP",
  initialStatus: "UNFULFILLED",
  channelSlug: "a",
  warehouseIds: ["a1"],
  shippingMethodId: "as",
  defaultCarrierCode: "DHL",
  buyerDataRetentionDays: 2,
  sendStock: true,
  stockSafetyQuantity: 1,
  stockFloor: 1,
  cancellationMechanism: "FEED",
  invoiceMechanism: "AUTO",
  invoiceNumberPrefix: "DE-",
  nextInvoiceNumber: 1,
  invoiceIssuer: "Mugs",
  invoiceTaxNumber: "DE1",
  invoiceNote: "Thanks",
};

const channels = ["a", "b"].map((slug) => ({
  id: slug,
  slug,
  currency: "EUR",
  warehouses: [1, 2].map((number) => ({ id: slug + number, name: slug + number })),
  shippingMethods: [{ id: `${slug}s`, name: `${slug} standard` }],
}));

afterEach(cleanup);

test("every setting of a marketplace that the API takes can be made on its page", async () => {
  const sent: Record<string, unknown>[] = [];
  const client = new Client({
    url: "http://shop.example/graphql/",
    exchanges: [fetchExchange],
    preferGetMethod: false,
    fetch: async (_address, init) => {
      sent.push(JSON.parse(String(init?.body)).variables.input);
      return Response.json({
        data: { amazonMarketplaceUpdate: { marketplace: null, errors: [] } },
      });
    },
  });
  const { container } = render(
    <Language>
      <Provider value={client}>
        <Form marketplace={marketplace} channels={channels} />
      </Provider>
    </Language>,
  );
  const save = async (times: number) => {
    fireEvent.click(screen.getByRole("button", { name: "Save" }));
    await waitFor(() => expect(sent.length).toBe(times));
  };
  await save(1);

  // What is chosen decides what else there is, so each is looked for when its turn comes.
  const nth = <E extends Element>(what: string, index: number) =>
    container.querySelectorAll<E>(what)[index];
  for (let i = 0, field; (field = nth<HTMLSelectElement>("select", i)); i++) {
    const now = field.value;
    const other = [...field.options].find(({ value }) => value && value !== now);
    if (other) fireEvent.change(field, { target: { value: other.value } });
  }
  const TEXT = "input:not([type=checkbox]), textarea";
  for (let i = 0, field; (field = nth<HTMLInputElement>(TEXT, i)); i++) {
    fireEvent.change(field, { target: { value: `${field.value}2` } });
  }
  for (let i = 0, field; (field = nth<HTMLInputElement>("[type=checkbox]", i)); i++) {
    fireEvent.click(field);
  }
  await save(2);

  const offered = fieldsOf("AmazonMarketplaceUpdateInput").filter(
    (name) => !(name in NOT_OFFERED),
  );
  const [before, after] = sent;
  const isChanged = (name: string) =>
    JSON.stringify(before?.[name]) !== JSON.stringify(after?.[name]);
  expect(offered.length).toBeGreaterThan(15);
  expect(offered.filter((name) => !isChanged(name))).toEqual([]);
});
