/** What the Dashboard does to the pages, and what it may not do. */
import { describe, expect, test } from "vitest";
import {
  allow,
  dashboardPath,
  frame,
  inspect,
  open,
  page,
  shoot,
  useBrowser,
} from "./browser";

useBrowser();

const heading = (name: string) => frame().getByRole("heading", { name });

describe("the handshake", () => {
  test("is never missed, however fast it comes", async () => {
    for (let time = 0; time < 5; time++) {
      await open("/orders");
      await heading("Amazon orders").waitFor();
    }
  });

  test.each(["no-referrer", "same-origin"])(
    "works where the referrer is %s",
    async (referrer) => {
      await open("/orders", { referrer });
      await heading("Amazon orders").waitFor();
    },
  );

  test("works after the frame was reloaded", async () => {
    await open("/blocked");
    await heading("Blocked orders").waitFor();
    await frame()
      .locator("html")
      .evaluate(() => location.reload());
    await heading("Blocked orders").waitFor();
  });

  test("that does not come is said", async () => {
    await inspect(
      "outside",
      "/orders",
      (pages) => pages.getByText("Open this page from Saleor Dashboard").waitFor(),
      { mute: "1" },
    );
  });
});

describe("the Dashboard's address", () => {
  test("leads to a page, and the back button to the one before", async () => {
    await open("/stores");
    await heading("Amazon stores").waitFor();
    await frame().getByRole("link", { name: "Orders", exact: true }).click();
    await heading("Amazon orders").waitFor();
    expect(dashboardPath()).toBe("app:/orders");
    await page.goBack();
    await heading("Amazon stores").waitFor();
  });
});

describe("language and theme", () => {
  test.each([
    ["sv", "Amazon-ordrar"],
    ["de", "Amazon-Bestellungen"],
    ["fr", "Amazon orders"],
  ])("in %s the page is called %s", async (locale, title) => {
    await open("/orders", { locale });
    await heading(title).waitFor();
    await frame().locator("tbody tr").first().waitFor();
    await shoot(`orders-${locale}`);
  });

  test("both follow the Dashboard at once", async () => {
    await open("/orders");
    await heading("Amazon orders").waitFor();
    await page.getByLabel("Language").selectOption("sv");
    await heading("Amazon-ordrar").waitFor();
    const colour = () =>
      frame()
        .locator("body")
        .evaluate((body) => getComputedStyle(body).backgroundColor);
    const light = await colour();
    await page.getByRole("button", { name: "Light or dark" }).click();
    await expect.poll(colour).not.toBe(light);
  });
});

describe("permissions", () => {
  test("staff without MANAGE_PLUGINS see orders and no stores", async () => {
    await open("/orders", { as: "order_staff" });
    await frame().locator("tbody tr").first().waitFor();
    const sections = frame().getByRole("navigation").getByRole("link");
    expect(await sections.allInnerTexts()).toEqual([
      "Orders",
      "Blocked",
      "To Amazon",
      "Overview",
    ]);
    await open("/stores", { as: "order_staff" });
    await frame().getByText("You need the permission MANAGE_PLUGINS").waitFor();
  });

  test("staff without any are told what they need", async () => {
    await inspect(
      "no-permission",
      "/orders",
      (pages) => pages.getByText("You need the permission MANAGE_ORDERS").waitFor(),
      { as: "staff_without_permissions" },
    );
  });
});

describe("the shop does not answer", () => {
  test("it is said, and trying again helps", async () => {
    allow("graphql", "Failed to load resource");
    await page.route("**/graphql/", (route) => route.abort("connectionrefused"));
    await open("/orders");
    await frame().getByText("The shop did not answer").waitFor();
    await shoot("no-answer");
    await page.unroute("**/graphql/");
    await frame().getByRole("button", { name: "Try again" }).click();
    await frame().locator("tbody tr").first().waitFor();
  });
});

test("the first page is usable in under 1.5 s", async () => {
  const seconds: number[] = [];
  for (let time = 0; time < 5; time++) {
    const begun = performance.now();
    await open("/orders");
    await frame().locator("tbody tr").first().waitFor();
    seconds.push((performance.now() - begun) / 1000);
  }
  // The best of them: the machine may have other things to do.
  console.log(`First page: ${seconds.map((each) => each.toFixed(2)).join(", ")} s`);
  expect(Math.min(...seconds)).toBeLessThan(1.5);
});
