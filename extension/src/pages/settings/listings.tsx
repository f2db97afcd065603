import { Text } from "@saleor/macaw-ui";
import { useQuery } from "urql";
import {
  type AmazonListingState,
  ListingsDocument,
  type ListingsQueryVariables,
} from "../../api/generated/graphql";
import { Badge, css, Empty, Loading, Problem, type Tone } from "../../components";
import { SelectField } from "../../components/fields";
import { Pager } from "../../components/pager";
import { Scroll } from "../../components/scroll";
import { address, navigate } from "../../dashboard/router";
import { useText } from "../../i18n";
import { MARKETPLACES } from "../../marketplaces";
import { SettingsPage, useChosenAccount } from "./tabs";

const PAGE_SIZE = 25;

const STATES: Record<AmazonListingState, Tone> = {
  SENT: "good",
  NEW: "busy",
  REFUSED: "bad",
  UNKNOWN_SKU: "attention",
  NOT_LISTED: "attention",
  NOT_FULFILLED: "neutral",
  NOT_COUNTED: "neutral",
  AMAZON_FULFILLED: "neutral",
};

/** What Amazon is told of the shop's stock, by listing. */
export default function Listings({ params }: { params: URLSearchParams }) {
  const { t, of, time, number, country } = useText();
  const account = useChosenAccount(params);
  const [state, before] = ["state", "before"].map((name) => params.get(name));
  const variables: ListingsQueryVariables = {
    filter: {
      ...(account.id && { accounts: [account.id] }),
      ...(state && { states: [state as AmazonListingState] }),
    },
    ...(before
      ? { last: PAGE_SIZE, before }
      : { first: PAGE_SIZE, after: params.get("after") ?? undefined }),
  };
  const [{ data, error, fetching }, refetch] = useQuery({
    query: ListingsDocument,
    variables,
    pause: !account.id,
  });
  const listings = data?.amazonListings;
  const change = (changes: Record<string, string | undefined>) =>
    navigate(
      address("/settings/listings", {
        ...Object.fromEntries(params),
        after: "",
        before: "",
        ...changes,
      }),
    );
  const place = (id: string) => {
    const known = MARKETPLACES.find(([each]) => each === id);
    return known ? country(known[1]) : id;
  };
  const count = (value?: number | null) => (value == null ? "–" : number(value));
  return (
    <SettingsPage title={t("listings.title")}>
      <section className={css.card} aria-label={t("listings.title")}>
        <div className={css.filters}>
          {account.field}
          <SelectField
            label={t("order.status")}
            value={state ?? ""}
            options={[
              { value: "", label: t("common.all") },
              ...Object.keys(STATES).map((value) => ({
                value,
                label: of("listing", value),
              })),
            ]}
            onChange={(value) => change({ state: value })}
          />
        </div>
        {error && !listings && <Problem error={error} onRetry={() => refetch()} />}
        {fetching && !listings && <Loading rows={8} />}
        {listings?.edges.length === 0 && (
          <Empty title={state ? t("outbox.noneFound") : t("listings.none")}>
            <Text as="p" className={css.muted}>
              {state ? t("orders.noneFoundHelp") : t("listings.noneHelp")}
            </Text>
          </Empty>
        )}
        {listings && listings.edges.length > 0 && (
          <Scroll>
            <table className={css.table}>
              <caption>{t("listings.title")}</caption>
              <thead>
                <tr>
                  <th scope="col">{t("item.sku")}</th>
                  <th scope="col">{t("item.title")}</th>
                  <th scope="col">{t("order.marketplace")}</th>
                  <th scope="col">{t("order.status")}</th>
                  <th scope="col" className={css.end}>
                    {t("listings.wanted")}
                  </th>
                  <th scope="col" className={css.end}>
                    {t("listings.sent")}
                  </th>
                  <th scope="col" className={css.end}>
                    {t("listings.amazon")}
                  </th>
                  <th scope="col">{t("order.note")}</th>
                </tr>
              </thead>
              <tbody>
                {listings.edges.map(({ node }) => (
                  <tr key={node.id}>
                    <th scope="row">{node.sellerSku}</th>
                    <td className={css.name}>{node.title ?? "–"}</td>
                    <td>{place(node.marketplaceId)}</td>
                    <td>
                      <Badge tone={STATES[node.state]}>{of("listing", node.state)}</Badge>
                    </td>
                    <td className={css.end}>{count(node.quantity)}</td>
                    <td className={css.end}>
                      {count(node.sentQuantity)}
                      {node.sentAt && (
                        <Text as="p" size={2} className={css.muted}>
                          {time(node.sentAt)}
                        </Text>
                      )}
                    </td>
                    <td className={css.end}>{count(node.amazonQuantity)}</td>
                    <td className={css.note}>{node.note}</td>
                  </tr>
                ))}
              </tbody>
            </table>
          </Scroll>
        )}
        {listings && (
          <Pager
            pageInfo={listings.pageInfo}
            count={
              listings.totalCount == null
                ? t("outbox.countMany")
                : t("outbox.count", {
                    count: listings.totalCount,
                    shown: number(listings.totalCount),
                  })
            }
            onPage={change}
          />
        )}
      </section>
    </SettingsPage>
  );
}
