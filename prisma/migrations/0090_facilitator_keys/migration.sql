-- By which keys a tenant's servers use the facilitator. A revoked key has no row.

-- CreateTable
CREATE TABLE "facilitator_keys" (
    "id" TEXT NOT NULL,
    "tenant" TEXT NOT NULL,
    "digest" TEXT NOT NULL,
    "issued_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "facilitator_keys_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE UNIQUE INDEX "facilitator_keys_digest_key" ON "facilitator_keys"("digest");

-- CreateIndex
CREATE INDEX "facilitator_keys_tenant_idx" ON "facilitator_keys"("tenant");
