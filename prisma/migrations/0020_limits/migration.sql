-- Quotas and spending limits: what is allowed, and what is used of it.

-- CreateTable
CREATE TABLE "limits" (
    "tenant" TEXT NOT NULL,
    "id" TEXT NOT NULL,
    "revision" INTEGER NOT NULL,
    "rules" JSONB NOT NULL,

    CONSTRAINT "limits_pkey" PRIMARY KEY ("tenant","id")
);

-- AlterTable
ALTER TABLE "hold_totals" ADD COLUMN     "slots" JSONB,
ADD COLUMN     "expires_at" TIMESTAMPTZ(3);

-- CreateIndex
CREATE INDEX "hold_totals_prefix_idx" ON "hold_totals"("key" text_pattern_ops);

-- CreateIndex
CREATE INDEX "hold_totals_expires_at_idx" ON "hold_totals" USING BRIN ("expires_at");

-- What the schema cannot say.

-- Gateways compile the limits anew when one was published or withdrawn.
create trigger limits_published after insert or update or delete on limits
  for each statement execute function notify_catalogue();
