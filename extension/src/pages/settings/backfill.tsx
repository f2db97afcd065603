import { Button, Text } from "@saleor/macaw-ui";
import { type FormEvent, useState } from "react";
import { useMutation, useQuery } from "urql";
import {
  type BackfillRowFragment,
  BackfillsDocument,
  CancelBackfillDocument,
  StartBackfillDocument,
} from "../../api/generated/graphql";
import { usePolling } from "../../api/polling";
import {
  Badge,
  byField,
  Card,
  css,
  Fields,
  FormError,
  Notice,
  type Tone,
} from "../../components";
import { Rows } from "../../components/answer";
import { CheckField, TextField } from "../../components/fields";
import { notify } from "../../dashboard/notify";
import { useText } from "../../i18n";
import { NamedOrders } from "./named-orders";
import { AccountSettingsPage } from "./tabs";

const STATES: Record<BackfillRowFragment["state"], Tone> = {
  RUNNING: "busy",
  FINISHED: "good",
  CANCELLED: "neutral",
};

/** Brings in orders that are older than what is imported by itself. */
export default function Backfill({ params }: { params: URLSearchParams }) {
  const { t } = useText();
  return (
    <AccountSettingsPage title={t("backfill.title")} params={params}>
      {(accountId) => <OfAccount accountId={accountId} />}
    </AccountSettingsPage>
  );
}

function OfAccount({ accountId }: { accountId: string }) {
  const { t } = useText();
  const [answer, refetch] = useQuery({
    query: BackfillsDocument,
    variables: { accountId },
  });
  const again = () => refetch({ requestPolicy: "network-only" });
  const backfills = answer.data?.amazonBackfills;
  const isRunning = backfills?.some(({ state }) => state === "RUNNING") ?? false;
  usePolling(isRunning, again);
  return (
    <>
      <Card title={t("backfill.new")}>
        <Start accountId={accountId} isRunning={isRunning} onDone={again} />
      </Card>
      <Card title={t("named.title")}>
        <NamedOrders key={accountId} accountId={accountId} />
      </Card>
      <Rows
        answer={answer}
        rows={backfills}
        isAlone
        onRetry={again}
        none={{ title: t("backfill.none") }}
      >
        {(all) => (
          <div className={css.grid}>
            {all.map((backfill) => (
              <OneBackfill key={backfill.id} backfill={backfill} onChange={again} />
            ))}
          </div>
        )}
      </Rows>
    </>
  );
}

interface StartProps {
  accountId: string;
  isRunning: boolean;
  onDone: () => void;
}

function Start({ accountId, isRunning, onDone }: StartProps) {
  const { t } = useText();
  const [values, setValues] = useState({ from: "", to: "", isDryRun: true });
  const [{ data, error, fetching }, start] = useMutation(StartBackfillDocument);
  const errors = byField(data?.amazonBackfillStart?.errors ?? [], [
    "createdAfter",
    "createdBefore",
  ]);
  const set = (changes: Partial<typeof values>) => setValues({ ...values, ...changes });
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    const result = await start({
      input: {
        accountId,
        createdAfter: new Date(values.from).toISOString(),
        createdBefore: new Date(values.to).toISOString(),
        dryRun: values.isDryRun,
      },
    });
    if (result.error || result.data?.amazonBackfillStart?.errors.length) return;
    void notify("success", t("backfill.started"));
    onDone();
  };
  return (
    <form className={css.form} onSubmit={submit}>
      <Text as="p" size={3} className={css.muted}>
        {t("backfill.help")}
      </Text>
      <FormError text={error?.message ?? errors[""]} />
      <div className={css.pair}>
        <TextField
          label={t("filters.from")}
          type="datetime-local"
          required
          value={values.from}
          onChange={(from) => set({ from })}
          error={errors.createdAfter}
        />
        <TextField
          label={t("filters.to")}
          type="datetime-local"
          required
          value={values.to}
          onChange={(to) => set({ to })}
          error={errors.createdBefore}
        />
      </div>
      <CheckField
        label={t("backfill.dryRun")}
        isChecked={values.isDryRun}
        onChange={(isDryRun) => set({ isDryRun })}
      />
      <div>
        <Button type="submit" disabled={fetching || isRunning}>
          {t("backfill.start")}
        </Button>
      </div>
    </form>
  );
}

/** How much of the range of time has been read, from 0 to 1. */
export function readPart({
  createdAfter,
  createdBefore,
  readUntil,
}: Pick<BackfillRowFragment, "createdAfter" | "createdBefore" | "readUntil">): number {
  const [from, to, at] = [createdAfter, createdBefore, readUntil].map(Date.parse) as [
    number,
    number,
    number,
  ];
  return to > from ? Math.min(1, Math.max(0, (at - from) / (to - from))) : 1;
}

interface OneProps {
  backfill: BackfillRowFragment;
  onChange: () => void;
}

function OneBackfill({ backfill, onChange }: OneProps) {
  const { t, of, date, time, number } = useText();
  const [{ fetching }, cancel] = useMutation(CancelBackfillDocument);
  const title = t("backfill.range", {
    from: date(backfill.createdAfter),
    to: date(backfill.createdBefore),
  });
  const onCancel = async () => {
    const { data, error } = await cancel({ id: backfill.id });
    const message = error?.message ?? data?.amazonBackfillCancel?.errors[0]?.message;
    if (message) void notify("error", message);
    onChange();
  };
  return (
    <Card
      title={title}
      actions={
        <Badge tone={STATES[backfill.state]}>{of("backfillState", backfill.state)}</Badge>
      }
    >
      <div className={css.list}>
        {backfill.isDryRun && (
          <div>
            <Badge>{t("backfill.isDryRun")}</Badge>
          </div>
        )}
        {backfill.state === "RUNNING" && (
          <div className={css.progress}>
            <progress aria-label={title} value={readPart(backfill)} />
          </div>
        )}
        {backfill.lastError && (
          <Notice tone="warning">
            <Text as="p" size={3}>
              {backfill.lastError}
            </Text>
          </Notice>
        )}
        <Fields
          rows={[
            [t("backfill.seen"), number(backfill.seen)],
            [t("backfill.alreadyImported"), number(backfill.alreadyImported)],
            [of("state", "IMPORTED"), number(backfill.imported)],
            [of("state", "READY"), number(backfill.ready)],
            [of("state", "BLOCKED"), number(backfill.blocked)],
            [of("state", "WAITING"), number(backfill.waiting)],
            [of("state", "IGNORED"), number(backfill.ignored)],
            [
              t("backfill.begun"),
              [time(backfill.startedAt), backfill.startedBy].filter(Boolean).join(" · "),
            ],
            [t("backfill.ended"), backfill.finishedAt && time(backfill.finishedAt)],
            [
              t("backfill.expected"),
              backfill.state === "RUNNING" && backfill.expectedAt
                ? time(backfill.expectedAt)
                : undefined,
            ],
          ]}
        />
        {backfill.state === "RUNNING" && (
          <div>
            <Button variant="secondary" size="small" disabled={fetching} onClick={onCancel}>
              {t("backfill.cancel")}
            </Button>
          </div>
        )}
      </div>
    </Card>
  );
}
