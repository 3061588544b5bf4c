-- Who runs a projection, and what stopped it; and the rebuilds that are under way.

-- AlterTable
ALTER TABLE "projection_checkpoints"
  ADD COLUMN "owner" TEXT,
  ADD COLUMN "lease_until" TIMESTAMPTZ(3),
  ADD COLUMN "epoch" BIGINT NOT NULL DEFAULT 0,
  ADD COLUMN "wanted_by" TEXT,
  ADD COLUMN "stopped_at" BIGINT,
  ADD COLUMN "stopped_error" TEXT;

-- CreateTable
CREATE TABLE "projection_rebuilds" (
    "name" TEXT NOT NULL,
    "version" INTEGER NOT NULL,
    "position" BIGINT NOT NULL,
    "owner" TEXT,
    "lease_until" TIMESTAMPTZ(3),
    "epoch" BIGINT NOT NULL DEFAULT 0,
    "stopped_at" BIGINT,
    "stopped_error" TEXT,

    CONSTRAINT "projection_rebuilds_pkey" PRIMARY KEY ("name")
);

-- What the schema cannot say: few rows, updated all the time (as projection_checkpoints in 0001).
alter table "projection_rebuilds"
  set (fillfactor = 50, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 100);
