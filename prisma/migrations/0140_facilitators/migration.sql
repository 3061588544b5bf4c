-- Who settles for a tenant beside the settlers here, and what they are shown, encrypted.

-- CreateTable
CREATE TABLE "tenant_facilitators" (
    "tenant" TEXT NOT NULL,
    "list" JSONB NOT NULL,
    "secrets" BYTEA,
    "revision" INTEGER NOT NULL,

    CONSTRAINT "tenant_facilitators_pkey" PRIMARY KEY ("tenant")
);
