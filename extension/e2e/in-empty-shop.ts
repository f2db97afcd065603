/** A new store admin, an empty shop, and nothing but what the pages say. */
import { expect, inject, test } from "vitest";
import {
  dashboardPath,
  expectAccessible,
  frame,
  open,
  orders,
  page,
  shoot,
  useBrowser,
} from "./browser";

useBrowser();

const heading = (name: string) => frame().getByRole("heading", { name, exact: true });
const step = async (name: string) => {
  await expectAccessible();
  await shoot(`journey-${name}`);
};

test("from an empty shop to the first imported order", async () => {
  const pages = await open("/overview");
  await pages.getByText("Nothing was sold yet.").waitFor();
  await step("1-overview");

  await pages.getByRole("link", { name: "Orders", exact: true }).click();
  await pages.getByText("No Amazon orders yet").waitFor();
  await step("2-no-orders");

  await pages
    .getByRole("region", { name: "Amazon orders" })
    .getByRole("link", { name: "Amazon stores" })
    .click();
  await pages.getByText("No seller account is connected").waitFor();
  await step("3-no-stores");

  await pages.getByRole("button", { name: "Connect account" }).last().click();
  await heading("Connect an Amazon account").waitFor();
  await pages.getByRole("button", { name: "Use another address" }).click();
  const sandbox = inject("sandbox");
  for (const [label, value] of [
    ["Name", "My store"],
    ["Seller ID", "A1SANDBOXEU"],
    ["Client ID", "amzn1.application-oa2-client.sandbox"],
    ["Client secret", "sandbox-secret"],
    ["Refresh token", "Atzr|sandbox-EU"],
    ["Import orders from", aMonthAgo()],
    ["Address of the API", sandbox],
    ["Address for access tokens", `${sandbox}/auth/o2/token`],
  ] as const) {
    await pages.getByLabel(label, { exact: true }).fill(value);
  }
  await pages.getByRole("button", { name: "Connect account" }).click();
  await heading("My store").waitFor();
  await page.getByText("Map its marketplaces to channels next").waitFor();
  await step("4-connected");

  await pages.getByRole("link", { name: "Germany" }).click();
  await heading("Germany · My store").waitFor();
  await pages.getByLabel("Import into channel").selectOption({ label: "amazon-eur" });
  await step("5-mapping");
  await pages.getByRole("button", { name: "Save" }).click();
  await pages.getByText("Orders of this marketplace come into the shop now").waitFor();
  await step("6-mapped");

  await pages.getByRole("link", { name: "View all Amazon orders" }).click();
  await heading("Amazon orders").waitFor();
  // They appear without anybody doing anything.
  await pages
    .locator("tbody tr", { hasText: "Imported" })
    .first()
    .waitFor({ timeout: 120_000 });
  await step("7-orders");

  const [order] = await orders({
    importState: ["IMPORTED"],
    marketplaceIds: ["A1PA6795UKMFR9"],
  });
  await open(`/orders?q=${order?.amazonOrderId}`);
  await frame()
    .getByRole("link", { name: order?.amazonOrderId ?? "", exact: true })
    .click();
  await expect
    .poll(dashboardPath)
    .toBe(`/orders/${encodeURIComponent(order?.orderId ?? "")}`);
  await frame()
    .getByText(order?.amazonOrderId ?? "")
    .waitFor();
  await step("8-in-the-shop");
}, 240_000);

/** As a field for local time takes it. */
function aMonthAgo(): string {
  const date = new Date();
  date.setDate(date.getDate() - 40);
  return date.toISOString().slice(0, 16);
}
