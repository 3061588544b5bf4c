-- Tariffs of single customers, and by which position a total of usage was moved last, so that gateways can follow.

-- CreateTable
CREATE TABLE "customer_tariffs" (
    "tenant" TEXT NOT NULL,
    "payer" TEXT NOT NULL,
    "route" TEXT NOT NULL,
    "tariff" TEXT NOT NULL,
    "revision" INTEGER NOT NULL,

    CONSTRAINT "customer_tariffs_pkey" PRIMARY KEY ("tenant","payer","route")
);

-- AlterTable
ALTER TABLE "usage_days" ADD COLUMN     "moved" BIGINT NOT NULL DEFAULT 0;

-- CreateIndex
CREATE INDEX "usage_days_moved_idx" ON "usage_days"("moved");

-- What the schema cannot say.

create trigger customer_tariffs_changed after insert or update or delete on customer_tariffs
  for each statement execute function notify_customers();
