import { Button, Text, useTheme } from "@saleor/macaw-ui";
import { lazy, type PropsWithChildren, Suspense, useEffect, useState } from "react";
import { Provider } from "urql";
import { client } from "./api/client";
import { css, Empty, Loading, Page } from "./components";
import { bridge, useBridge, useMay } from "./dashboard/bridge";
import { Link, type Route, useRoute } from "./dashboard/router";
import { Language, useText } from "./i18n";
import { OrderDetails, OrderOfShop } from "./pages/order-details/order-details";
import { Orders } from "./pages/orders/orders";
import { Widget } from "./pages/widget/widget";

const Outbox = lazy(() => import("./pages/outbox/outbox"));
const Overview = lazy(() => import("./pages/overview/overview"));
const Settings = lazy(() => import("./pages/settings/settings"));
const Skus = lazy(() => import("./pages/settings/skus"));
const Carriers = lazy(() => import("./pages/settings/carriers"));
const Backfill = lazy(() => import("./pages/settings/backfill"));
const Listings = lazy(() => import("./pages/settings/listings"));
const Log = lazy(() => import("./pages/settings/log"));
const Notifications = lazy(() => import("./pages/settings/notifications"));
const Stores = lazy(() => import("./pages/stores/stores"));
const Blocked = lazy(() => import("./pages/blocked/blocked"));
const Account = lazy(() => import("./pages/account/account"));
const Connect = lazy(() => import("./pages/connect/connect"));
const Marketplace = lazy(() => import("./pages/marketplace/marketplace"));

const HANDSHAKE_MS = 5000;

export function App() {
  const { ready, theme } = useBridge();
  const { setTheme } = useTheme();
  useEffect(() => bridge.sendNotifyReadyAction(), []);
  useEffect(() => {
    setTheme(theme === "dark" ? "defaultDark" : "defaultLight");
    // For what the browser draws itself: scroll bars, pickers.
    document.documentElement.style.colorScheme = theme;
  }, [theme, setTheme]);
  return (
    <Language>
      <Provider value={client}>{ready ? <Pages /> : <Waiting />}</Provider>
    </Language>
  );
}

/** No handshake: most likely the page was opened outside the Dashboard. */
function Waiting() {
  const { t } = useText();
  const [isLate, setLate] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setLate(true), HANDSHAKE_MS);
    return () => clearTimeout(timer);
  }, []);
  if (!isLate) return <Loading />;
  return (
    <Page title={t("app.title")}>
      <Empty title={t("app.outside")}>
        <Text as="p" className={css.muted}>
          {t("app.outsideHelp")}
        </Text>
        <Button variant="secondary" onClick={() => bridge.sendNotifyReadyAction()}>
          {t("common.retry")}
        </Button>
      </Empty>
    </Page>
  );
}

function Pages() {
  const route = useRoute();
  if (route.path === "/widget")
    return <Widget orderId={route.params.get("orderId") ?? ""} />;
  return (
    <>
      <Navigation path={route.path} />
      <Allowed path={route.path}>
        <Suspense fallback={<Loading />}>{pageOf(route)}</Suspense>
      </Allowed>
    </>
  );
}

const OF_STORES = ["accounts", "connect", "marketplaces"];
/** Pages about what is set up; all others are about orders. */
const SET_UP = [...OF_STORES, "settings", "stores"];

/** Says what is missing instead of asking the server in vain. */
function Allowed({ path, children }: PropsWithChildren<{ path: string }>) {
  const { t } = useText();
  const permission = SET_UP.includes(path.split("/")[1] ?? "")
    ? "MANAGE_PLUGINS"
    : "MANAGE_ORDERS";
  if (useMay(permission)) return <>{children}</>;
  return (
    <Page title={t("app.title")}>
      <section className={css.card}>
        <Empty title={t("problem.permission", { permission })}>
          <Text as="p" className={css.muted}>
            {t("problem.permissionHelp")}
          </Text>
        </Empty>
      </section>
    </Page>
  );
}

function pageOf({ path, params }: Route) {
  const [, first, id] = path.split("/");
  if (first === "order") return <OrderOfShop orderId={params.get("orderId") ?? ""} />;
  if (first === "orders" && id) {
    return <OrderDetails key={id} by={{ amazonOrderId: decodeURIComponent(id) }} />;
  }
  if (first === "blocked") return <Blocked />;
  if (first === "outbox") return <Outbox params={params} />;
  if (first === "overview") return <Overview params={params} />;
  if (first === "settings") {
    if (id === "skus") return <Skus params={params} />;
    if (id === "carriers") return <Carriers params={params} />;
    if (id === "listings") return <Listings params={params} />;
    if (id === "backfill") return <Backfill params={params} />;
    if (id === "notifications") return <Notifications params={params} />;
    if (id === "log") return <Log params={params} />;
    return <Settings />;
  }
  if (first === "stores") return <Stores />;
  if (first === "accounts" && id) return <Account key={id} id={decodeURIComponent(id)} />;
  if (first === "connect") return <Connect params={params} />;
  if (first === "marketplaces" && id)
    return <Marketplace key={id} id={decodeURIComponent(id)} />;
  return <Orders params={params} />;
}

function Navigation({ path }: { path: string }) {
  const { t } = useText();
  const maySee = useMay("MANAGE_ORDERS");
  const maySetUp = useMay("MANAGE_PLUGINS");
  const first = path.split("/")[1] || "orders";
  const section = OF_STORES.includes(first) ? "stores" : first;
  const items = [
    { section: "orders", label: t("nav.orders"), isShown: maySee },
    { section: "blocked", label: t("nav.blocked"), isShown: maySee },
    { section: "outbox", label: t("nav.outbox"), isShown: maySee },
    { section: "overview", label: t("nav.overview"), isShown: maySee },
    { section: "stores", label: t("nav.stores"), isShown: maySetUp },
    { section: "settings", label: t("nav.settings"), isShown: maySetUp },
  ];
  return (
    <nav className={css.nav} aria-label={t("app.title")}>
      {items
        .filter(({ isShown }) => isShown)
        .map((item) => (
          <Link
            key={item.section}
            to={`/${item.section}`}
            aria-current={item.section === section ? "page" : undefined}
          >
            {item.label}
          </Link>
        ))}
    </nav>
  );
}
