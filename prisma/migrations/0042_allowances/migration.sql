-- What customers may use without paying, and which of such requests are running.

-- CreateTable
CREATE TABLE "allowances" (
    "tenant" TEXT NOT NULL,
    "payer" TEXT NOT NULL,
    "counts" TEXT NOT NULL,
    "quota" DECIMAL(30,0) NOT NULL,
    "period" TEXT NOT NULL,
    "revision" INTEGER NOT NULL,
    "set_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "allowances_pkey" PRIMARY KEY ("tenant","payer")
);

-- CreateTable
CREATE TABLE "running_free_requests" (
    "id" TEXT NOT NULL,
    "gateway" TEXT NOT NULL,
    "since" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "running_free_requests_pkey" PRIMARY KEY ("id")
);

-- What the schema cannot say.

alter table "allowances" add constraint "allowances_quota_check" check ("quota" >= 0);

create trigger allowances_changed after insert or update or delete on allowances
  for each statement execute function notify_customers();

-- Each row is inserted and soon deleted.
alter table "running_free_requests" set (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000);
