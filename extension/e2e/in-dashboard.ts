/** The places that the channel has in the real Saleor Dashboard, on a real Saleor.
 *
 * `make test-browser-dashboard DASHBOARD=…/build/dashboard`
 */
import { selectors } from "playwright-core";
import { beforeAll, describe, expect, inject, test, vi } from "vitest";
import { type AnOrder, anOrder, frame, page, shoot, useBrowser } from "./browser";

// What the Dashboard says of itself is its own business.
useBrowser((url) => url.includes("/plugins/"));

// It loads some megabytes.
vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });
/** In the Dashboard, not in our frame. */
const dashboard = (path: string) => inject("dashboard") + path;
const orderPage = (order: AnOrder) =>
  dashboard(`orders/${encodeURIComponent(order.orderId ?? "")}`);
const widget = () => page.frameLocator('iframe[src*="/widget"]');
const heading = (name: string) => frame().getByRole("heading", { name });
const rows = () => frame().locator("tbody tr");

selectors.setTestIdAttribute("data-test-id");

beforeAll(async () => {
  page.setDefaultTimeout(60_000);
  await page.goto(dashboard(""));
  await page.getByTestId("email").fill(inject("email"));
  await page.getByTestId("password").fill(inject("password"));
  await page.getByTestId("submit").click();
  await page.getByTestId("menu-list").first().waitFor();
  // Its news are in the way.
  await page
    .getByTestId("ripple-video-announcement-dismiss")
    .click({ timeout: 10_000 })
    .catch(() => undefined);
});

describe("Saleor Dashboard", () => {
  test("has Amazon orders below Orders", async () => {
    await page.goto(dashboard("orders"));
    await page.getByRole("link", { name: "Amazon orders" }).first().click();
    await heading("Amazon orders").waitFor();
    await rows().first().waitFor();
    await shoot("in-dashboard-orders");
  });

  test("keeps the page, when one is opened in it, in its address", async () => {
    await rows().first().getByRole("link").first().click();
    await frame().getByRole("heading", { level: 1 }).waitFor();
    const number = /\d{3}-\d{7}-\d{7}/;
    const shown = await frame().getByText(number).first().innerText();
    await expect.poll(() => page.url()).toContain("/orders/");
    await frame().getByLabel("Loading").waitFor({ state: "detached" });
    await shoot("in-dashboard-order");

    await page.reload();
    await frame().getByText(number).first().waitFor();
    expect(await frame().getByText(number).first().innerText()).toBe(shown);

    const link = page.url();
    await page.goto(dashboard("orders"));
    await page.goto(link);
    await frame().getByText(number).first().waitFor();
    expect(await frame().getByText(number).first().innerText()).toBe(shown);
  });

  test("shows the widget on the page of an order", async () => {
    const order = await anOrder({
      importState: ["IMPORTED"],
      fulfillmentStatus: ["UNSHIPPED"],
    });
    await page.goto(orderPage(order));
    await widget().getByText(order.amazonOrderId).waitFor();
    await widget().getByRole("button", { name: "View all Amazon orders" }).waitFor();
    await page.locator('iframe[src*="/widget"]').scrollIntoViewIfNeeded();
    await shoot("in-dashboard-widget");

    await widget().getByRole("button", { name: "View or cancel Amazon order" }).click();
    await frame().getByText(order.amazonOrderId).first().waitFor();
    expect(page.url()).toContain("/extensions/app/");
  });

  test("leads from the menu of an order to the Amazon order", async () => {
    const order = await anOrder({
      importState: ["IMPORTED"],
      fulfillmentStatus: ["SHIPPED"],
    });
    await page.goto(orderPage(order));
    await page.getByTestId("page-header").getByTestId("show-more-button").click();
    await shoot("in-dashboard-menu");
    await page.getByRole("menuitem", { name: "View or cancel Amazon order" }).click();
    await frame().getByText(order.amazonOrderId).first().waitFor();
    await frame().getByLabel("Loading").waitFor({ state: "detached" });
    await shoot("in-dashboard-from-menu");
  });
});
