-- Answers of writes by Idempotency-Key; the primary key decides who runs a request.

-- CreateTable
CREATE TABLE "idempotency_keys" (
    "id" TEXT NOT NULL,
    "fingerprint" TEXT NOT NULL,
    "holder" TEXT NOT NULL,
    "lease_until" TIMESTAMPTZ(3) NOT NULL,
    "expires_at" TIMESTAMPTZ(3) NOT NULL,
    "answer" BYTEA,

    CONSTRAINT "idempotency_keys_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE INDEX "idempotency_keys_expires_at_idx" ON "idempotency_keys" USING BRIN ("expires_at");

-- AlterTable: the version of the row's stream, for entity tags.
ALTER TABLE "tenants" ADD COLUMN     "revision" INTEGER NOT NULL DEFAULT 0;
ALTER TABLE "customer_details" ADD COLUMN     "revision" INTEGER NOT NULL DEFAULT 0;

update "tenants" set "revision" =
  (select coalesce(max(version), 0) from "events" where stream = 'tenant/' || id);
update "customer_details" set "revision" =
  (select coalesce(max(version), 0) from "events" where stream = concat_ws('/', 'customer', "customer_details".tenant, payer));

ALTER TABLE "tenants" ALTER COLUMN "revision" DROP DEFAULT;
ALTER TABLE "customer_details" ALTER COLUMN "revision" DROP DEFAULT;

-- What the schema cannot say.

-- Answers are encrypted: trying to compress them only costs time.
alter table "idempotency_keys" alter column "answer" set storage external;
