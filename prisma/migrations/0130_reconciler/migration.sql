-- How far each chain is followed, the wallets that are followed on it, and the transfers of those that no payment explains.

-- CreateTable
CREATE TABLE "chain_checkpoints" (
    "network" TEXT NOT NULL,
    "block_number" BIGINT NOT NULL,
    "recent" JSONB NOT NULL,
    "head" BIGINT NOT NULL,
    "caught_up_at" TIMESTAMPTZ(3) NOT NULL,
    "stopped" TEXT,
    "owner" TEXT,
    "epoch" BIGINT NOT NULL,
    "lease_until" TIMESTAMPTZ(3),

    CONSTRAINT "chain_checkpoints_pkey" PRIMARY KEY ("network")
);

-- CreateTable
CREATE TABLE "chain_wallets" (
    "network" TEXT NOT NULL,
    "asset" TEXT NOT NULL,
    "wallet" TEXT NOT NULL,
    "tenant" TEXT NOT NULL,
    "opened_at" BIGINT NOT NULL,
    "block_number" BIGINT NOT NULL,

    CONSTRAINT "chain_wallets_pkey" PRIMARY KEY ("network","asset","wallet")
);

-- CreateTable
CREATE TABLE "chain_transfers" (
    "network" TEXT NOT NULL,
    "transaction" TEXT NOT NULL,
    "log_index" INTEGER NOT NULL,
    "direction" TEXT NOT NULL,
    "tenant" TEXT NOT NULL,
    "asset" TEXT NOT NULL,
    "wallet" TEXT NOT NULL,
    "counterparty" TEXT NOT NULL,
    "amount" DECIMAL(78,0) NOT NULL,
    "block_number" BIGINT NOT NULL,
    "block_hash" TEXT NOT NULL,
    "payment" TEXT,
    "state" TEXT NOT NULL,
    "found_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "chain_transfers_pkey" PRIMARY KEY ("network","transaction","log_index","direction")
);

-- CreateIndex
CREATE INDEX "chain_transfers_network_block_number_idx" ON "chain_transfers"("network", "block_number");

-- CreateIndex
CREATE INDEX "chain_transfers_found_at_network_transaction_log_index_dire_idx" ON "chain_transfers"("found_at" DESC, "network" DESC, "transaction" DESC, "log_index" DESC, "direction" DESC);
