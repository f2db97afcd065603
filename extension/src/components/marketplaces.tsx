import type { AccountFragment } from "../api/generated/graphql";
import { Link } from "../dashboard/router";
import { useText } from "../i18n";
import { Badge, css } from ".";
import { AccountState } from "./states";

type Props = Pick<AccountFragment, "marketplaces" | "state">;

/** The marketplaces of an account, those without a channel apart. */
export function Marketplaces({ marketplaces, state }: Props) {
  const { t } = useText();
  const mapped = marketplaces.filter(({ isMapped }) => isMapped);
  const unmapped = marketplaces.filter(({ isMapped }) => !isMapped);
  return (
    <>
      <Some marketplaces={mapped} state={state} />
      {unmapped.length > 0 && (
        <details className={css.more} open={mapped.length === 0}>
          <summary>{t("stores.unmapped", { count: unmapped.length })}</summary>
          <Some marketplaces={unmapped} state={state} />
        </details>
      )}
    </>
  );
}

function Some({ marketplaces, state }: Props) {
  const { t, country } = useText();
  return (
    <ul className={css.marketplaces}>
      {marketplaces.map((marketplace) => (
        <li key={marketplace.id}>
          <Link
            className={css.link}
            to={`/marketplaces/${encodeURIComponent(marketplace.id)}`}
          >
            {country(marketplace.countryCode)}
          </Link>
          <span className={css.muted}>
            {marketplace.channelSlug ?? marketplace.currency}
          </span>
          {!marketplace.isParticipating ? (
            <Badge>{t("stores.left")}</Badge>
          ) : !marketplace.isMapped ? (
            <Badge tone="attention">{t("stores.notMapped")}</Badge>
          ) : !marketplace.importOrders ? (
            <Badge>{t("stores.importOff")}</Badge>
          ) : state === "ACTIVE" ? (
            <Badge tone="good">{t("stores.importing")}</Badge>
          ) : (
            <AccountState state={state} />
          )}
        </li>
      ))}
    </ul>
  );
}
