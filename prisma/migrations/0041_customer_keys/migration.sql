-- By which keys customers prove who they are. A revoked key has no row. And which version of its stream a standing is.

-- AlterTable
ALTER TABLE "payer_standings" ADD COLUMN     "revision" INTEGER NOT NULL DEFAULT 1;

-- CreateTable
CREATE TABLE "customer_keys" (
    "id" TEXT NOT NULL,
    "tenant" TEXT NOT NULL,
    "payer" TEXT NOT NULL,
    "digest" TEXT NOT NULL,
    "issued_at" TIMESTAMPTZ(3) NOT NULL,
    "expires_at" TIMESTAMPTZ(3),
    "last_used_at" TIMESTAMPTZ(3),

    CONSTRAINT "customer_keys_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE UNIQUE INDEX "customer_keys_digest_key" ON "customer_keys"("digest");

-- CreateIndex
CREATE INDEX "customer_keys_tenant_payer_idx" ON "customer_keys"("tenant", "payer");
