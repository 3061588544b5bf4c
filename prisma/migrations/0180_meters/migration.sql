-- What tenants count of usage events, and by which keys their servers send them. A revoked key has no row; a withdrawn
-- meter keeps its row, because what it has counted stays.

-- CreateTable
CREATE TABLE "meters" (
    "tenant" TEXT NOT NULL,
    "id" TEXT NOT NULL,
    "revision" INTEGER NOT NULL,
    "rules" JSONB NOT NULL,
    "withdrawn" BOOLEAN NOT NULL,

    CONSTRAINT "meters_pkey" PRIMARY KEY ("tenant","id")
);

-- CreateTable
CREATE TABLE "ingestion_keys" (
    "id" TEXT NOT NULL,
    "tenant" TEXT NOT NULL,
    "digest" TEXT NOT NULL,
    "issued_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "ingestion_keys_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE UNIQUE INDEX "ingestion_keys_digest_key" ON "ingestion_keys"("digest");

-- CreateIndex
CREATE INDEX "ingestion_keys_tenant_idx" ON "ingestion_keys"("tenant");
