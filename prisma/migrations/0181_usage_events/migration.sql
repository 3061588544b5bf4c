-- Usage events, for ever: the primary key decides what is a duplicate, one index who replaces an event. Each batch is sealed
-- with the log by the digest in its `UsageIngested`.

-- CreateTable
CREATE TABLE "usage_events" (
    "tenant" TEXT NOT NULL,
    "source" TEXT NOT NULL,
    "id" TEXT NOT NULL,
    "batch" UUID NOT NULL,
    "line" INTEGER NOT NULL,
    "customer" TEXT NOT NULL,
    "occurred_at" TIMESTAMPTZ(6) NOT NULL,
    "received_at" TIMESTAMPTZ(3) NOT NULL,
    "replaces" TEXT,
    "metered" JSONB NOT NULL,
    "event" TEXT NOT NULL,

    CONSTRAINT "usage_events_pkey" PRIMARY KEY ("tenant","source","id")
);

-- CreateIndex
CREATE INDEX "usage_events_tenant_customer_occurred_at_idx" ON "usage_events"("tenant", "customer", "occurred_at");

-- `replaces` is source and id with a blank between them, which no source has in it.
create unique index "usage_events_replaced" on "usage_events" (("tenant" || ' ' || "replaces")) where "replaces" is not null;

create trigger usage_events_only_grow before update or delete or truncate on "usage_events"
  for each statement execute function refuse_event_change();
