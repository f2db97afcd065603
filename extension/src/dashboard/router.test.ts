import { beforeAll, expect, test, vi } from "vitest";

let router: typeof import("./router");

beforeAll(async () => {
  const base = document.createElement("base");
  base.href = "/saleor/plugins/global/amazon/dashboard/";
  document.head.append(base);
  vi.doMock("./bridge", () => ({
    bridge: { subscribe: () => () => {}, getState: () => ({ id: "QXBwOjE=" }) },
    dispatch: vi.fn(async () => true),
  }));
  router = await import("./router");
});

const FOLDER = "/saleor/plugins/global/amazon/dashboard/";

test.each([
  ["", "/"],
  ["orders", "/orders"],
  ["orders/", "/orders"],
  ["orders/302-1234567-1234567", "/orders/302-1234567-1234567"],
  // What the Dashboard asks for where an app's id was not encoded.
  ["extensions/app/QXBwOjE=/orders", "/orders"],
  ["extensions/app/QXBwOjE=", "/"],
])("the address %s is the page %s", (below, path) => {
  expect(router.toRoute(FOLDER + below, "", FOLDER).path).toBe(path);
});

test("the Dashboard's own parameters are not ours", () => {
  const { params } = router.toRoute(
    `${FOLDER}orders`,
    "?domain=x&saleorApiUrl=y&id=z&theme=dark&featureFlags%5Ba%5D=1&state=BLOCKED&q=",
    FOLDER,
  );
  expect([...params]).toEqual([["state", "BLOCKED"]]);
});

test("addresses leave out what is empty, and ids are encoded", () => {
  expect(router.address("/orders", { q: "", state: "BLOCKED", after: undefined })).toBe(
    "/orders?state=BLOCKED",
  );
  expect(router.shopOrderPath("T3JkZXI6MQ==")).toBe("/orders/T3JkZXI6MQ%3D%3D");
  expect(router.ownPage("/orders")).toBe("/extensions/app/QXBwOjE%3D/orders");
});

test("going to a page keeps the folder", () => {
  router.navigate("/orders?state=BLOCKED");
  expect(location.pathname + location.search).toBe(`${FOLDER}orders?state=BLOCKED`);
});
