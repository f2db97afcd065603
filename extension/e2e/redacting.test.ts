import { expect, test } from "vitest";
import {
  anOrder,
  ask,
  expectAccessible,
  frame,
  inspect,
  narrow,
  open,
  page,
  shoot,
  useBrowser,
} from "./browser";

useBrowser();

const isRedacted = async (id: string) =>
  (
    await ask<{ amazonOrder: { isRedacted: boolean } }>(
      "query ($id: ID!) { amazonOrder(id: $id) { isRedacted } }",
      { id },
    )
  ).amazonOrder.isRedacted;

const action = { name: "Delete buyer's data" };

test("what is known of a buyer is deleted when the buyer asks for it", async () => {
  const order = await anOrder({
    importState: ["IMPORTED"],
    fulfillmentStatus: ["SHIPPED"],
    fulfilledBy: "MERCHANT",
  });
  await open(`/orders/${order.amazonOrderId}`);
  await frame().getByRole("button", action).click();
  const dialog = frame().getByRole("dialog");
  await dialog.getByText("Name, street, postal code, phone").waitFor();
  await expectAccessible();
  await shoot("redact");
  await dialog.getByRole("button", action).click();
  await page.getByText("What was known of the buyer is deleted.").waitFor();
  await inspect("redacted", `/orders/${order.amazonOrderId}`, (pages) =>
    pages.getByText("What was known of the buyer has been deleted.").waitFor(),
  );
  expect(await isRedacted(order.id)).toBe(true);
  expect(await frame().getByRole("button", action).count()).toBe(0);
});

test("an order that is still to be shipped is asked about once more", async () => {
  const order = await anOrder({
    importState: ["IMPORTED"],
    fulfillmentStatus: ["UNSHIPPED"],
    fulfilledBy: "MERCHANT",
  });
  const pages = await open(`/orders/${order.amazonOrderId}`);
  await pages.getByRole("button", action).click();
  const dialog = pages.getByRole("dialog");
  const sure = dialog.getByRole("button", action);
  await sure.click();
  await dialog.getByText("The order is still to be shipped").waitFor();
  expect(await sure.isDisabled()).toBe(true);
  await dialog.getByRole("checkbox", { name: "Delete it all the same" }).check();
  expect(await sure.isEnabled()).toBe(true);
  await expectAccessible();
  await shoot("redact-to-be-shipped");
  await dialog.getByRole("button", { name: "Close" }).click();
  expect(await isRedacted(order.id)).toBe(false);

  for (const [locale, name] of [
    ["de", "Daten des Käufers löschen"],
    ["sv", "Ta bort köparens uppgifter"],
  ] as const) {
    await narrow(async () => {
      for (const theme of ["light", "dark"]) {
        await open(`/orders/${order.amazonOrderId}`, { locale, theme });
        await frame().getByRole("button", { name }).click();
        await frame().getByRole("dialog").waitFor();
        await expectAccessible();
        await shoot(`redact-narrow-${locale}-${theme}`);
      }
    });
  }
});
