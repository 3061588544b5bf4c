-- What a provider notes about a payer: personal data, beside the events and erasable.

-- CreateTable
CREATE TABLE "customer_details" (
    "tenant" TEXT NOT NULL,
    "payer" TEXT NOT NULL,
    "name" TEXT,
    "email" TEXT,
    "note" TEXT,
    "updated_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "customer_details_pkey" PRIMARY KEY ("tenant","payer")
);

-- What was erased or replaced leaves the table at the next vacuum: let that be soon.
alter table "customer_details" set (
  autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 0,
  toast.autovacuum_vacuum_scale_factor = 0, toast.autovacuum_vacuum_threshold = 0);
