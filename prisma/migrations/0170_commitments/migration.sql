-- Requests that customers signed for and pay later: what was signed, and a row for each.

-- CreateTable
CREATE TABLE "commitment_evidence" (
    "id" TEXT NOT NULL,
    "base" TEXT NOT NULL,
    "signature" BYTEA NOT NULL,

    CONSTRAINT "commitment_evidence_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "commitments" (
    "id" TEXT NOT NULL,
    "tenant" TEXT NOT NULL,
    "customer" TEXT NOT NULL,
    "route" TEXT NOT NULL,
    "method" TEXT NOT NULL,
    "state" TEXT NOT NULL,
    "currency" TEXT NOT NULL,
    "network" TEXT NOT NULL,
    "asset" TEXT NOT NULL,
    "amount" DECIMAL(78,0) NOT NULL,
    "charged" DECIMAL(78,0),
    "units" DECIMAL(78,0),
    "tariff" TEXT NOT NULL,
    "tariff_version" INTEGER NOT NULL,
    "gateway" TEXT NOT NULL,
    "reason" TEXT,
    "http_status" INTEGER,
    "position" BIGINT NOT NULL,
    "accepted_at" TIMESTAMPTZ(3) NOT NULL,
    "ended_at" TIMESTAMPTZ(3),

    CONSTRAINT "commitments_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE INDEX "commitments_position_idx" ON "commitments"("position" DESC);

-- CreateIndex
CREATE INDEX "commitments_tenant_customer_position_idx" ON "commitments"("tenant", "customer", "position" DESC);

-- CreateIndex
CREATE INDEX "commitments_state_accepted_at_idx" ON "commitments"("state", "accepted_at");
