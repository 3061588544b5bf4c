-- CreateIndex
CREATE INDEX "settlement_transactions_created_at_hash_idx" ON "settlement_transactions"("created_at" DESC, "hash" DESC);
