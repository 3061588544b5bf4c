-- DropIndex
DROP INDEX "settlement_transactions_network_settler_nonce_key";

-- AlterTable
ALTER TABLE "settlement_transactions" ADD COLUMN "attempt" INTEGER NOT NULL DEFAULT 1;

-- CreateIndex
CREATE UNIQUE INDEX "settlement_transactions_network_settler_nonce_attempt_key" ON "settlement_transactions"("network", "settler", "nonce", "attempt");
