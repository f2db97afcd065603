import { Text } from "@saleor/macaw-ui";
import { useQuery } from "urql";
import {
  CommunicationLogDocument,
  type CommunicationLogQueryVariables,
} from "../../api/generated/graphql";
import { css } from "../../components";
import { useAccounts } from "../../components/accounts";
import { Rows } from "../../components/answer";
import { SelectField } from "../../components/fields";
import { Pager } from "../../components/pager";
import { Scroll } from "../../components/scroll";
import { address, Link, navigate } from "../../dashboard/router";
import { useText } from "../../i18n";
import { Written } from "../orders/filter-panel";
import { SettingsPage } from "./tabs";

const PAGE_SIZE = 25;

function variablesOf(params: URLSearchParams): CommunicationLogQueryVariables {
  const [account, code, order, before] = ["account", "code", "q", "before"].map((name) =>
    params.get(name),
  );
  return {
    filter: {
      ...(account && { accounts: [account] }),
      ...(code && { errorCodes: [code] }),
      ...(order && { amazonOrderIds: [order] }),
    },
    ...(before
      ? { last: PAGE_SIZE, before }
      : { first: PAGE_SIZE, after: params.get("after") ?? undefined }),
  };
}

/** C7: what failed between Amazon and the shop. */
export default function Log({ params }: { params: URLSearchParams }) {
  const { t, of, time } = useText();
  const accounts = useAccounts();
  const [answer, refetch] = useQuery({
    query: CommunicationLogDocument,
    variables: variablesOf(params),
  });
  const log = answer.data?.amazonCommunicationLog;
  const isFiltered = ["account", "code", "q"].some((name) => params.has(name));
  const change = (changes: Record<string, string | undefined>) =>
    navigate(
      address("/settings/log", {
        ...Object.fromEntries(params),
        after: "",
        before: "",
        ...changes,
      }),
    );
  return (
    <SettingsPage title={t("log.title")}>
      <section className={css.card} aria-label={t("log.title")}>
        <div className={css.filters}>
          <SelectField
            label={t("filters.account")}
            value={params.get("account") ?? ""}
            options={[
              { value: "", label: t("common.all") },
              ...accounts.map(({ id, name }) => ({ value: id, label: name })),
            ]}
            onChange={(account) => change({ account })}
          />
          <Written
            label={t("log.code")}
            value={params.get("code") ?? ""}
            onWrite={(code) => change({ code })}
          />
          <Written
            label={t("order.number")}
            value={params.get("q") ?? ""}
            onWrite={(q) => change({ q })}
          />
        </div>
        <Rows
          answer={answer}
          rows={log?.edges}
          onRetry={() => refetch()}
          skeletons={8}
          none={
            isFiltered
              ? { title: t("outbox.noneFound"), help: t("orders.noneFoundHelp") }
              : { title: t("log.none"), help: t("log.noneHelp") }
          }
        >
          {(edges) => (
            <Scroll>
              <table className={css.table}>
                <caption>{t("log.title")}</caption>
                <thead>
                  <tr>
                    <th scope="col">{t("log.created")}</th>
                    <th scope="col">{t("log.store")}</th>
                    <th scope="col">{t("activity.what")}</th>
                    <th scope="col">{t("log.code")}</th>
                    <th scope="col">{t("log.message")}</th>
                    <th scope="col">{t("order.number")}</th>
                  </tr>
                </thead>
                <tbody>
                  {edges.map(({ node }) => (
                    <tr key={node.id}>
                      <td className={css.nowrap}>{time(node.createdAt)}</td>
                      <td className={css.name}>{node.accountName}</td>
                      <td>{of("kind", node.operation)}</td>
                      <td>{node.errorCode}</td>
                      <td className={css.note}>
                        {node.message}
                        {node.requestId && !node.message.includes(node.requestId) && (
                          <Text as="p" size={2} className={css.muted}>
                            {t("log.request", { id: node.requestId })}
                          </Text>
                        )}
                      </td>
                      <td className={css.nowrap}>
                        {node.amazonOrderId && (
                          <Link
                            className={css.link}
                            to={`/orders/${encodeURIComponent(node.amazonOrderId)}?tab=activity`}
                          >
                            {node.amazonOrderId}
                          </Link>
                        )}
                      </td>
                    </tr>
                  ))}
                </tbody>
              </table>
            </Scroll>
          )}
        </Rows>
        {log && <Pager of={log} onPage={change} />}
      </section>
    </SettingsPage>
  );
}
