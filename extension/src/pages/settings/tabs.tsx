import { Button } from "@saleor/macaw-ui";
import type { PropsWithChildren, ReactNode } from "react";
import { css, Page } from "../../components";
import { useAccountNames } from "../../components/accounts";
import { Rows } from "../../components/answer";
import { SelectField } from "../../components/fields";
import { address, Link, navigate, useRoute } from "../../dashboard/router";
import { type MessageId, useText } from "../../i18n";

const TABS: [string, MessageId][] = [
  ["/settings", "settings.general"],
  ["/settings/skus", "skus.title"],
  ["/settings/carriers", "carriers.title"],
  ["/settings/listings", "listings.title"],
  ["/settings/backfill", "backfill.title"],
  ["/settings/notifications", "notifications.title"],
  ["/settings/log", "log.title"],
];

/** The pages about the channel as a whole. */
export function SettingsPage({ title, children }: PropsWithChildren<{ title: string }>) {
  const { t } = useText();
  const { path } = useRoute();
  return (
    <Page title={title}>
      <nav className={css.tabs} aria-label={t("nav.settings")}>
        {TABS.map(([to, label]) => (
          <Link key={to} to={to} aria-current={to === path ? "true" : undefined}>
            {t(label)}
          </Link>
        ))}
      </nav>
      {children}
    </Page>
  );
}

interface OfAccountProps {
  title: string;
  params: URLSearchParams;
  children: (accountId: string) => ReactNode;
}

/** Such a page about one account: that of the address, or the first. */
export function AccountSettingsPage({ title, params, children }: OfAccountProps) {
  const { t } = useText();
  const { path } = useRoute();
  const { accounts, answer, again } = useAccountNames();
  return (
    <SettingsPage title={title}>
      <Rows
        answer={answer}
        rows={accounts}
        isAlone
        onRetry={again}
        none={{
          title: t("stores.none"),
          help: t("stores.noneHelp"),
          action: (
            <Button onClick={() => navigate("/connect")}>{t("connect.action")}</Button>
          ),
        }}
      >
        {(all) => {
          const id = params.get("account") ?? all[0]?.id ?? "";
          return (
            <>
              {all.length > 1 && (
                <div className={css.pickers}>
                  <SelectField
                    label={t("filters.account")}
                    value={id}
                    options={all.map((each) => ({ value: each.id, label: each.name }))}
                    onChange={(account) => navigate(address(path, { account }))}
                  />
                </div>
              )}
              {children(id)}
            </>
          );
        }}
      </Rows>
    </SettingsPage>
  );
}
