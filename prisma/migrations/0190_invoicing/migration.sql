-- Invoices: when what was used counts by the tenant's clock, what is asked for it, and a row for each invoice. The rows of
-- commitments are rebuilt, so that each has its place in the log and its time.

-- AlterTable
ALTER TABLE "commitments" ADD COLUMN     "billed_at" TIMESTAMPTZ(3),
ADD COLUMN     "ended_position" BIGINT;

-- The leaf of each usage event in the tree of its batch, as `usage-row.ts` makes it: with it, the root of an invoice's line is
-- reckoned without what was sent. Nothing else of the rows changes.
ALTER TABLE "usage_events" ADD COLUMN     "leaf" BYTEA;
alter table "usage_events" disable trigger usage_events_only_grow;
update "usage_events" u set leaf = sha256('\x00'::bytea || convert_to('[' || concat_ws(',', to_json(source), to_json(id), to_json(customer),
    to_json(to_char(occurred_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')),
    to_json(to_char(received_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')),
    coalesce(to_json(replaces)::text, 'null'),
    to_json('{' || coalesce((select string_agg(to_json(key) || ':' || to_json(value), ',' order by key collate "C")
      from jsonb_each_text(u.metered)), '') || '}'),
    to_json(event)) || ']', 'UTF8'));
alter table "usage_events" enable trigger usage_events_only_grow;
ALTER TABLE "usage_events" ALTER COLUMN "leaf" SET NOT NULL;

-- CreateTable
CREATE TABLE "tenant_clocks" (
    "tenant" TEXT NOT NULL,
    "offset_ms" BIGINT NOT NULL,

    CONSTRAINT "tenant_clocks_pkey" PRIMARY KEY ("tenant")
);

-- CreateTable
CREATE TABLE "usage_batches" (
    "batch" UUID NOT NULL,
    "tenant" TEXT NOT NULL,
    "position" BIGINT NOT NULL,
    "from_at" TIMESTAMPTZ(6) NOT NULL,
    "to_at" TIMESTAMPTZ(6) NOT NULL,
    "arrived_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "usage_batches_pkey" PRIMARY KEY ("batch")
);

-- CreateTable
CREATE TABLE "meter_prices" (
    "tenant" TEXT NOT NULL,
    "meter" TEXT NOT NULL,
    "customer" TEXT NOT NULL,
    "version" INTEGER NOT NULL,
    "position" BIGINT NOT NULL,
    "effective_from" TIMESTAMPTZ(3) NOT NULL,
    "charge" JSONB NOT NULL,

    CONSTRAINT "meter_prices_pkey" PRIMARY KEY ("tenant","meter","customer","version")
);

-- CreateTable
CREATE TABLE "account_taxes" (
    "tenant" TEXT NOT NULL,
    "customer" TEXT NOT NULL,
    "position" BIGINT NOT NULL,
    "rates" JSONB NOT NULL,

    CONSTRAINT "account_taxes_pkey" PRIMARY KEY ("tenant","customer","position")
);

-- CreateTable
CREATE TABLE "invoices" (
    "id" TEXT NOT NULL,
    "tenant" TEXT NOT NULL,
    "customer" TEXT NOT NULL,
    "sequence" INTEGER NOT NULL,
    "version" INTEGER NOT NULL,
    "number" INTEGER,
    "state" TEXT NOT NULL,
    "overdue" BOOLEAN NOT NULL,
    "reason" TEXT NOT NULL,
    "currency" TEXT NOT NULL,
    "period_from" TIMESTAMPTZ(3) NOT NULL,
    "period_to" TIMESTAMPTZ(3) NOT NULL,
    "grace_until" TIMESTAMPTZ(3) NOT NULL,
    "cut_position" BIGINT,
    "cut_to" TIMESTAMPTZ(3),
    "issued_at" TIMESTAMPTZ(3),
    "due_at" TIMESTAMPTZ(3),
    "total" DECIMAL(78,0),
    "outstanding" DECIMAL(78,0) NOT NULL,
    "position" BIGINT NOT NULL,

    CONSTRAINT "invoices_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "seller_parties" (
    "tenant" TEXT NOT NULL,
    "party" JSONB NOT NULL,

    CONSTRAINT "seller_parties_pkey" PRIMARY KEY ("tenant")
);

-- CreateTable
CREATE TABLE "account_parties" (
    "tenant" TEXT NOT NULL,
    "customer" TEXT NOT NULL,
    "party" JSONB NOT NULL,

    CONSTRAINT "account_parties_pkey" PRIMARY KEY ("tenant","customer")
);

-- CreateTable
CREATE TABLE "invoice_parties" (
    "invoice" TEXT NOT NULL,
    "seller" JSONB NOT NULL,
    "buyer" JSONB NOT NULL,

    CONSTRAINT "invoice_parties_pkey" PRIMARY KEY ("invoice")
);

-- CreateIndex
CREATE INDEX "usage_batches_tenant_position_idx" ON "usage_batches"("tenant", "position");

-- CreateIndex
CREATE UNIQUE INDEX "invoices_tenant_number_key" ON "invoices"("tenant", "number");

-- CreateIndex
CREATE UNIQUE INDEX "invoices_tenant_customer_sequence_key" ON "invoices"("tenant", "customer", "sequence");

-- CreateIndex
CREATE INDEX "invoices_tenant_position_idx" ON "invoices"("tenant", "position" DESC);

-- CreateIndex
CREATE INDEX "commitments_tenant_customer_ended_position_idx" ON "commitments"("tenant", "customer", "ended_position");
