-- Cards: by which account a tenant takes them, what customers set up, and a row for each charge and dispute.

-- CreateTable
CREATE TABLE "card_accounts" (
    "tenant" TEXT NOT NULL,
    "processor" TEXT NOT NULL,
    "api_base" TEXT NOT NULL,
    "allow_private" BOOLEAN NOT NULL,
    "secrets" BYTEA NOT NULL,
    "revision" INTEGER NOT NULL,

    CONSTRAINT "card_accounts_pkey" PRIMARY KEY ("tenant")
);

-- CreateTable
CREATE TABLE "card_setups" (
    "tenant" TEXT NOT NULL,
    "customer" TEXT NOT NULL,
    "processor_id" TEXT NOT NULL,
    "completed" BOOLEAN NOT NULL,

    CONSTRAINT "card_setups_pkey" PRIMARY KEY ("tenant","customer")
);

-- CreateTable
CREATE TABLE "card_charges" (
    "id" TEXT NOT NULL,
    "tenant" TEXT NOT NULL,
    "customer" TEXT NOT NULL,
    "invoice" TEXT NOT NULL,
    "attempt" INTEGER NOT NULL,
    "notice" INTEGER NOT NULL,
    "method" TEXT NOT NULL,
    "amount" DECIMAL(78,0) NOT NULL,
    "currency" TEXT NOT NULL,
    "state" TEXT NOT NULL,
    "code" TEXT,
    "final" BOOLEAN,
    "processor_id" TEXT,
    "fee" DECIMAL(78,0),
    "refunded" DECIMAL(78,0) NOT NULL,
    "refunding" BOOLEAN NOT NULL,
    "disputed" BOOLEAN NOT NULL,
    "position" BIGINT NOT NULL,
    "requested_at" TIMESTAMPTZ(3) NOT NULL,
    "updated_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "card_charges_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "card_disputes" (
    "charge" TEXT NOT NULL,
    "dispute" TEXT NOT NULL,
    "tenant" TEXT NOT NULL,
    "customer" TEXT NOT NULL,
    "invoice" TEXT NOT NULL,
    "amount" DECIMAL(78,0) NOT NULL,
    "fee" DECIMAL(78,0) NOT NULL,
    "currency" TEXT NOT NULL,
    "reason" TEXT NOT NULL,
    "state" TEXT NOT NULL,
    "evidence_due" TEXT,
    "evidence" TEXT,

    CONSTRAINT "card_disputes_pkey" PRIMARY KEY ("charge","dispute")
);

-- CreateIndex
CREATE INDEX "card_setups_tenant_processor_id_idx" ON "card_setups"("tenant", "processor_id");

-- CreateIndex
CREATE UNIQUE INDEX "card_charges_tenant_invoice_attempt_key" ON "card_charges"("tenant", "invoice", "attempt");

-- CreateIndex
CREATE INDEX "card_charges_tenant_processor_id_idx" ON "card_charges"("tenant", "processor_id");

-- CreateIndex
CREATE INDEX "card_charges_position_idx" ON "card_charges"("position");

-- CreateIndex
CREATE INDEX "card_disputes_dispute_idx" ON "card_disputes"("dispute");
