import { Text } from "@saleor/macaw-ui";
import { useQuery } from "urql";
import { BlockersDocument } from "../../api/generated/graphql";
import { css, Empty, Loading, Page, Problem } from "../../components";
import { useMay } from "../../dashboard/bridge";
import { address, Link } from "../../dashboard/router";
import { useText } from "../../i18n";

/** Blocked orders by what blocks them, with where each is put right. */
export default function Blocked() {
  const { t, of, number } = useText();
  const maySetUp = useMay("MANAGE_PLUGINS");
  const [{ data, error, fetching }, refetch] = useQuery({ query: BlockersDocument });
  const causes = data?.amazonBlockers;
  return (
    <Page title={t("blocked.title")}>
      <section className={css.card} aria-label={t("blocked.title")}>
        {fetching && !causes && <Loading />}
        {error && !causes && <Problem error={error} onRetry={() => refetch()} />}
        {causes?.length === 0 && (
          <Empty title={t("blocked.none")}>
            <Text as="p" className={css.muted}>
              {t("blocked.noneHelp")}
            </Text>
          </Empty>
        )}
        {causes && causes.length > 0 && (
          <div className={css.scroll}>
            <table className={css.table}>
              <caption>{t("blocked.title")}</caption>
              <thead>
                <tr>
                  <th scope="col">{t("blocked.cause")}</th>
                  <th scope="col">{t("blocked.what")}</th>
                  <th scope="col" className={css.end}>
                    {t("blocked.orders")}
                  </th>
                  <th scope="col">
                    <span className={css.hidden}>{t("blocked.action")}</span>
                  </th>
                </tr>
              </thead>
              <tbody>
                {causes.map((cause) => (
                  <tr
                    key={`${cause.accountId} ${cause.marketplaceId} ${cause.code} ${cause.subject}`}
                  >
                    <td className={css.nowrap}>{of("blocker", cause.code)}</td>
                    <td>{cause.message}</td>
                    <td className={css.end}>{number(cause.orderCount)}</td>
                    <td className={css.nowrap}>
                      <Link
                        className={css.link}
                        to={address("/orders", {
                          state: "BLOCKED",
                          code: cause.code,
                          cause: cause.subject,
                          account: cause.accountId,
                          marketplace: cause.marketplaceId,
                        })}
                      >
                        {t("blocked.showOrders")}
                      </Link>
                      {maySetUp &&
                        ["NOT_MAPPED", "CHANNEL_MISMATCH"].includes(cause.code) && (
                          <>
                            {" · "}
                            <Link className={css.link} to="/stores">
                              {t("stores.title")}
                            </Link>
                          </>
                        )}
                    </td>
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
        )}
      </section>
    </Page>
  );
}
