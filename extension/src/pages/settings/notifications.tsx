import { Button, Text } from "@saleor/macaw-ui";
import { type FormEvent, useState } from "react";
import { useMutation, useQuery } from "urql";
import {
  NotificationsDocument,
  type NotificationsQuery,
  SubscribeDocument,
  UnsubscribeDocument,
} from "../../api/generated/graphql";
import { Badge, byField, Card, css, Fields, FormError, Notice } from "../../components";
import { Answer } from "../../components/answer";
import { Dialog } from "../../components/dialog";
import { CheckField, TextAreaField, TextField } from "../../components/fields";
import { notify } from "../../dashboard/notify";
import { useText } from "../../i18n";
import { AccountSettingsPage } from "./tabs";

type Account = NotificationsQuery["amazonAccounts"][number];
type Status = NonNullable<Account["notifications"]>;

/** Amazon's own account, whose notifications service writes to the queues (README). */
const AMAZONS_AWS_ACCOUNT = "437568002678";
const ARN_EXAMPLE = "arn:aws:sqs:eu-west-1:111122223333:amazon-orders";

/** What the operator gives the queue, so that Amazon may write to it. */
export const policyOf = (arn: string) =>
  JSON.stringify(
    {
      Version: "2012-10-17",
      Statement: [
        {
          Effect: "Allow",
          Principal: { AWS: `arn:aws:iam::${AMAZONS_AWS_ACCOUNT}:root` },
          Action: ["sqs:SendMessage", "sqs:GetQueueAttributes"],
          Resource: arn.trim() || ARN_EXAMPLE,
        },
      ],
    },
    null,
    2,
  );

/** Whether Amazon says by itself what changed, through a queue of the operator's. */
export default function Notifications({ params }: { params: URLSearchParams }) {
  const { t } = useText();
  return (
    <AccountSettingsPage title={t("notifications.title")} params={params}>
      {(accountId) => <OfAccount key={accountId} accountId={accountId} />}
    </AccountSettingsPage>
  );
}

function OfAccount({ accountId }: { accountId: string }) {
  const { t } = useText();
  const [answer, refetch] = useQuery({ query: NotificationsDocument });
  const again = () => refetch({ requestPolicy: "network-only" });
  const account = answer.data?.amazonAccounts.find(({ id }) => id === accountId);
  const minutes = answer.data?.amazonSettings.pullIntervalMinutes ?? 0;
  return (
    <Answer answer={{ ...answer, data: account }} onRetry={again}>
      {(known) => (
        <>
          {known.notifications ? (
            <State account={known} status={known.notifications} onChange={again} />
          ) : (
            <Notice>
              <Text as="p" size={3}>
                {t("notifications.none", { minutes })}
              </Text>
            </Notice>
          )}
          <Card
            title={t(known.notifications ? "notifications.move" : "notifications.setUp")}
          >
            <SetUp account={known} onDone={again} />
          </Card>
        </>
      )}
    </Answer>
  );
}

interface StateProps {
  account: Account;
  status: Status;
  onChange: () => void;
}

function State({ account, status, onChange }: StateProps) {
  const { t, of, time, number } = useText();
  const [isEnding, setEnding] = useState(false);
  const [{ fetching }, subscribe] = useMutation(SubscribeDocument);
  const isWorking = status.isSubscribed && !status.lastError;
  const onTest = async () => {
    const { data, error } = await subscribe({
      accountId: account.id,
      queueArn: status.queueArn,
      queueEndpoint: status.queueEndpoint,
    });
    const message =
      error?.message ?? data?.amazonNotificationsSubscribe?.errors[0]?.message;
    void notify(message ? "error" : "success", message ?? t("notifications.tested"));
    onChange();
  };
  return (
    <Card
      title={t("notifications.of", { name: account.name })}
      actions={
        <Badge tone={isWorking ? "good" : "bad"}>
          {isWorking ? t("notifications.working") : t("notifications.broken")}
        </Badge>
      }
    >
      <div className={css.list}>
        {status.lastError && (
          <Notice tone="warning">
            <Text as="p" size={3}>
              {status.lastError}
            </Text>
          </Notice>
        )}
        <Fields
          rows={[
            [t("notifications.queue"), status.queueArn],
            [t("notifications.endpoint"), status.queueEndpoint],
            [
              t("notifications.last"),
              status.lastMessageAt
                ? time(status.lastMessageAt)
                : t("notifications.noneInADay"),
            ],
            [t("notifications.lastHour"), number(status.messagesLastHour)],
            ...status.messages.map(({ state, count }): [string, string] => [
              of("notification", state),
              number(count),
            ]),
            [t("notifications.nextCheck"), time(status.nextCheckAt)],
          ]}
        />
        <div className={css.actions}>
          <Button variant="secondary" size="small" disabled={fetching} onClick={onTest}>
            {fetching ? t("connect.busy") : t("notifications.test")}
          </Button>
          <Button
            variant="secondary"
            size="small"
            className={css.danger}
            onClick={() => setEnding(true)}
          >
            {t("notifications.end")}
          </Button>
        </div>
      </div>
      {isEnding && (
        <End
          account={account}
          onClose={() => setEnding(false)}
          onDone={() => {
            setEnding(false);
            onChange();
          }}
        />
      )}
    </Card>
  );
}

interface EndProps {
  account: Account;
  onClose: () => void;
  onDone: () => void;
}

function End({ account, onClose, onDone }: EndProps) {
  const { t } = useText();
  const [{ data, error, fetching }, end] = useMutation(UnsubscribeDocument);
  const onSubmit = async () => {
    const result = await end({ accountId: account.id });
    if (!result.data?.amazonNotificationsUnsubscribe?.account) return;
    void notify("success", t("notifications.ended"));
    onDone();
  };
  return (
    <Dialog
      title={t("notifications.endTitle", { name: account.name })}
      action={t("notifications.end")}
      isBusy={fetching}
      isDangerous
      onClose={onClose}
      onSubmit={onSubmit}
    >
      <FormError
        text={error?.message ?? data?.amazonNotificationsUnsubscribe?.errors[0]?.message}
      />
      <Text as="p" size={3}>
        {t("notifications.endHelp")}
      </Text>
    </Dialog>
  );
}

const FIELDS = ["queueArn", "queueEndpoint", "replace"];

/** The operator's steps, and what is entered here. */
function SetUp({ account, onDone }: { account: Account; onDone: () => void }) {
  const { t } = useText();
  const [arn, setArn] = useState("");
  const [endpoint, setEndpoint] = useState("");
  const [isExpert, setExpert] = useState(false);
  const [replace, setReplace] = useState(false);
  const [{ data, error, fetching }, subscribe] = useMutation(SubscribeDocument);
  const errors = byField(data?.amazonNotificationsSubscribe?.errors ?? [], FIELDS);
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    const result = await subscribe({
      accountId: account.id,
      queueArn: arn.trim(),
      queueEndpoint: endpoint.trim() || null,
      replace,
    });
    if (!result.data?.amazonNotificationsSubscribe?.account) return;
    void notify("success", t("notifications.done"));
    setArn("");
    onDone();
  };
  return (
    <form className={css.form} onSubmit={submit}>
      <Text as="p" size={3} className={css.muted}>
        {t("notifications.help")}
      </Text>
      <ol className={css.steps}>
        <li>{t("notifications.stepQueue")}</li>
        <li>{t("notifications.stepPolicy", { account: AMAZONS_AWS_ACCOUNT })}</li>
        <li>{t("notifications.stepIdentity")}</li>
        <li>{t("notifications.stepHere")}</li>
      </ol>
      <FormError text={error?.message ?? errors[""] ?? errors.replace} />
      <TextField
        label={t("notifications.queue")}
        required
        placeholder={ARN_EXAMPLE}
        value={arn}
        onChange={setArn}
        error={errors.queueArn}
      />
      <TextAreaField
        label={t("notifications.policy")}
        readOnly
        rows={18}
        value={policyOf(arn)}
        onChange={() => {}}
        help={t("notifications.policyHelp")}
      />
      {isExpert ? (
        <TextField
          label={t("notifications.endpoint")}
          value={endpoint}
          onChange={setEndpoint}
          error={errors.queueEndpoint}
          help={t("notifications.endpointHelp")}
        />
      ) : (
        <div>
          <Button
            type="button"
            variant="tertiary"
            size="small"
            onClick={() => setExpert(true)}
          >
            {t("connect.expert")}
          </Button>
        </div>
      )}
      {errors.replace && (
        <CheckField
          label={t("notifications.replace")}
          isChecked={replace}
          onChange={setReplace}
        />
      )}
      <div>
        <Button type="submit" disabled={fetching}>
          {fetching ? t("connect.busy") : t("notifications.action")}
        </Button>
      </div>
    </form>
  );
}
