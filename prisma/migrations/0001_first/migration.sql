-- The first tables. Everything down to "What the schema cannot say" is what prisma/schema.prisma says.

-- CreateTable
CREATE TABLE "events" (
    "position" BIGINT NOT NULL,
    "stream" TEXT NOT NULL,
    "version" INTEGER NOT NULL,
    "type" TEXT NOT NULL,
    "schema" SMALLINT NOT NULL,
    "tenant" TEXT NOT NULL,
    "data" JSONB NOT NULL,
    "occurred_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "events_pkey" PRIMARY KEY ("position")
);

-- CreateTable
CREATE TABLE "authorizations" (
    "payment_id" TEXT NOT NULL,
    "signature" BYTEA NOT NULL,
    "valid_before" BIGINT NOT NULL,

    CONSTRAINT "authorizations_pkey" PRIMARY KEY ("payment_id")
);

-- CreateTable
CREATE TABLE "answers" (
    "payment_id" TEXT NOT NULL,
    "ciphertext" BYTEA NOT NULL,
    "expires_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "answers_pkey" PRIMARY KEY ("payment_id")
);

-- CreateTable
CREATE TABLE "hold_totals" (
    "key" TEXT NOT NULL,
    "held" DECIMAL(78,0) NOT NULL,

    CONSTRAINT "hold_totals_pkey" PRIMARY KEY ("key")
);

-- CreateTable
CREATE TABLE "gateway_leases" (
    "id" TEXT NOT NULL,
    "beat_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "gateway_leases_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "tenants" (
    "id" TEXT NOT NULL,
    "host" TEXT NOT NULL,
    "upstream" TEXT NOT NULL,
    "upstream_secret" TEXT NOT NULL,
    "allow_private_upstream" BOOLEAN NOT NULL,
    "payee" TEXT NOT NULL,
    "network" TEXT NOT NULL,
    "asset" TEXT NOT NULL,

    CONSTRAINT "tenants_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "routes" (
    "id" TEXT NOT NULL,
    "tenant" TEXT NOT NULL,
    "revision" INTEGER NOT NULL,
    "config" JSONB NOT NULL,

    CONSTRAINT "routes_pkey" PRIMARY KEY ("tenant","id")
);

-- CreateTable
CREATE TABLE "tariffs" (
    "tenant" TEXT NOT NULL,
    "id" TEXT NOT NULL,
    "version" INTEGER NOT NULL,
    "effective_from" TIMESTAMPTZ(3) NOT NULL,
    "rules" JSONB NOT NULL,

    CONSTRAINT "tariffs_pkey" PRIMARY KEY ("tenant","id","version")
);

-- CreateTable
CREATE TABLE "settlement_transactions" (
    "hash" TEXT NOT NULL,
    "settler" TEXT NOT NULL,
    "nonce" BIGINT NOT NULL,
    "raw" TEXT NOT NULL,
    "payments" TEXT[],
    "status" TEXT NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL,
    "block_number" BIGINT,
    "block_hash" TEXT,

    CONSTRAINT "settlement_transactions_pkey" PRIMARY KEY ("hash")
);

-- CreateTable
CREATE TABLE "projection_checkpoints" (
    "name" TEXT NOT NULL,
    "version" INTEGER NOT NULL,
    "position" BIGINT NOT NULL,

    CONSTRAINT "projection_checkpoints_pkey" PRIMARY KEY ("name")
);

-- CreateTable
CREATE TABLE "payments" (
    "id" TEXT NOT NULL,
    "tenant" TEXT NOT NULL,
    "route" TEXT NOT NULL,
    "method" TEXT NOT NULL,
    "state" TEXT NOT NULL,
    "mode" TEXT NOT NULL,
    "payer" TEXT NOT NULL,
    "payee" TEXT NOT NULL,
    "network" TEXT NOT NULL,
    "asset" TEXT NOT NULL,
    "amount" DECIMAL(78,0) NOT NULL,
    "valid_before" BIGINT NOT NULL,
    "gateway" TEXT NOT NULL,
    "reason" TEXT,
    "http_status" INTEGER,
    "transaction" TEXT,
    "position" BIGINT NOT NULL,
    "authorized_at" TIMESTAMPTZ(3) NOT NULL,
    "delivered_at" TIMESTAMPTZ(3),
    "settled_at" TIMESTAMPTZ(3),
    "updated_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "payments_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "usage_days" (
    "tenant" TEXT NOT NULL,
    "route" TEXT NOT NULL,
    "payer" TEXT NOT NULL,
    "asset" TEXT NOT NULL,
    "day" DATE NOT NULL,
    "requests" BIGINT NOT NULL,
    "units" BIGINT NOT NULL,
    "amount" DECIMAL(78,0) NOT NULL,

    CONSTRAINT "usage_days_pkey" PRIMARY KEY ("tenant","route","payer","asset","day")
);

-- CreateIndex
CREATE UNIQUE INDEX "events_stream_version_key" ON "events"("stream", "version");

-- CreateIndex
CREATE INDEX "authorizations_valid_before_idx" ON "authorizations" USING BRIN ("valid_before");

-- CreateIndex
CREATE INDEX "answers_expires_at_idx" ON "answers" USING BRIN ("expires_at");

-- CreateIndex
CREATE UNIQUE INDEX "tenants_host_key" ON "tenants"("host");

-- CreateIndex
CREATE INDEX "settlement_transactions_status_idx" ON "settlement_transactions"("status");

-- CreateIndex
CREATE INDEX "settlement_transactions_payments_idx" ON "settlement_transactions" USING GIN ("payments");

-- CreateIndex
CREATE UNIQUE INDEX "settlement_transactions_settler_nonce_key" ON "settlement_transactions"("settler", "nonce");

-- CreateIndex
CREATE INDEX "payments_position_idx" ON "payments"("position" DESC);

-- CreateIndex
CREATE INDEX "payments_state_updated_at_idx" ON "payments"("state", "updated_at");

-- What the schema cannot say.

-- The log only grows.
create function refuse_event_change() returns trigger language plpgsql as $$
begin
  raise exception 'events are never changed or deleted' using errcode = 'restrict_violation';
end $$;

create trigger events_only_grow before update or delete or truncate on "events"
  for each statement execute function refuse_event_change();

alter table "events"
  add constraint "events_position_check" check ("position" > 0),
  add constraint "events_version_check" check ("version" > 0);

-- Money is never below zero.
alter table "hold_totals" add constraint "hold_totals_held_check" check ("held" >= 0);
alter table "payments" add constraint "payments_amount_check" check ("amount" >= 0);
alter table "usage_days" add constraint "usage_days_amount_check" check ("amount" >= 0);

-- Few rows, updated all the time, no index on what changes: room on the page keeps updates in place (HOT), and an
-- early vacuum keeps the pages few.
alter table "hold_totals" set (fillfactor = 50, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000);
alter table "gateway_leases" set (fillfactor = 50, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 100);
alter table "projection_checkpoints"
  set (fillfactor = 50, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 100);
alter table "usage_days" set (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.05);

-- Each row is updated a few times soon after it is written.
alter table "payments" set (fillfactor = 80);

-- Written once, deleted by expiry: vacuum well before a fifth of a large table is dead.
alter table "authorizations" set (autovacuum_vacuum_scale_factor = 0.05);
alter table "answers" set (autovacuum_vacuum_scale_factor = 0.05);

-- Answers are encrypted: trying to compress them only costs time.
alter table "answers" alter column "ciphertext" set storage external;
