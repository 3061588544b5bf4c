-- AlterTable
ALTER TABLE "settlement_transactions" ADD COLUMN     "refunds" TEXT[] DEFAULT ARRAY[]::TEXT[];

-- CreateTable
CREATE TABLE "refunds" (
    "id" TEXT NOT NULL,
    "payment_id" TEXT NOT NULL,
    "tenant" TEXT NOT NULL,
    "amount" DECIMAL(78,0) NOT NULL,
    "source" TEXT NOT NULL,
    "sender" TEXT,
    "reason" TEXT,
    "valid_before" BIGINT,
    "state" TEXT NOT NULL,
    "failure" TEXT,
    "transaction" TEXT,
    "block_number" BIGINT,
    "position" BIGINT NOT NULL,
    "requested_at" TIMESTAMPTZ(3),
    "updated_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "refunds_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE INDEX "settlement_transactions_refunds_idx" ON "settlement_transactions" USING GIN ("refunds");

-- CreateIndex
CREATE INDEX "refunds_payment_id_position_idx" ON "refunds"("payment_id", "position");

-- CreateIndex
CREATE INDEX "refunds_state_position_idx" ON "refunds"("state", "position");
